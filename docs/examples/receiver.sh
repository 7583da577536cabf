#!/bin/sh
# A receiver's two questions to till's webhooks, with curl, openssl and jq.
#
#   receiver.sh verify HEADERS BODY            Did till send this? HEADERS and BODY are files: a request as it came, its headers a line each.
#       WEBHOOK_SECRET   the signing secret; while it is changed the new one and the old one, parted by a space
#       TOLERANCE        how many seconds old a signature may be: 300
#       NOW              the time to hold it against, in Unix seconds: now
#
#   receiver.sh audit RECEIVED [AFTER HASH]    Is anything missing? RECEIVED is a file with a line "sequence id" for each message that your
#       server has dealt with, in any order. AFTER and HASH are a checkpoint that was proved before: what is above it is looked at.
#       TILL             where till is: http://127.0.0.1:8080
#       TILL_API_KEY     an API key with the scope webhooks:read
#
# It ends in 0 where all is well, in 1 where it is not, and in 2 where that could not be found out. Secrets are given to no other program as
# an argument: others on this machine could read them.
set -eu
LC_ALL=C
export LC_ALL

trouble() { printf 'receiver.sh: %s\n' "$*" >&2; exit 2; }
refused() { printf 'refused, %s: %s\n' "$1" "$2"; exit 1; }

for tool in curl openssl jq awk od; do
  command -v "$tool" >/dev/null || trouble "$tool is needed and not installed"
done

# header NAME: the value of a header in $headers, whatever the case of its name.
header() {
  tr -d '\r' <"$headers" | awk -v name="$1" '{
    colon = index($0, ":")
    if (!found && tolower(substr($0, 1, colon - 1)) == name) { value = substr($0, colon + 1); sub(/^[ \t]+/, "", value); print value; found = 1 }
  }'
}

# pad KEY BYTE: a key of hexadecimal digits, filled up to 64 bytes, each with BYTE xored: in printf's octal.
pad() {
  rest=$1
  i=0
  while [ "$i" -lt 64 ]; do
    byte=${rest%"${rest#??}"}
    rest=${rest#??}
    printf '\\%03o' $((0x${byte:-00} ^ $2))
    i=$((i + 1))
  done
}

# hmac KEY: HMAC-SHA256 of what is read, in base64. By hand (RFC 2104), for openssl would take the key as an argument.
hmac() {
  {
    printf "$(pad "$1" 92)"
    { printf "$(pad "$1" 54)"; cat; } | openssl dgst -sha256 -binary
  } | openssl dgst -sha256 -binary | openssl base64 -A
}

verify() {
  headers=$1 body=$2
  for file in "$headers" "$body"; do
    [ -r "$file" ] || trouble "cannot read $file"
  done
  [ -n "${WEBHOOK_SECRET:-}" ] || trouble "WEBHOOK_SECRET is not set"
  tolerance=${TOLERANCE:-300} now=${NOW:-$(date +%s)}
  # What is no number would make the comparison below fail, and so let every age through.
  case $tolerance in *[!0-9]*) trouble "TOLERANCE is a number of seconds, not $tolerance" ;; esac
  case $now in *[!0-9]*) trouble "NOW is a Unix time in seconds, not $now" ;; esac
  id=$(header webhook-id) stamp=$(header webhook-timestamp) signatures=$(header webhook-signature)
  [ -n "$id" ] || refused header "there is no webhook-id"
  [ -n "$signatures" ] || refused header "there is no webhook-signature"
  case $stamp in
  '' | *[!0-9]*) refused header "there is no webhook-timestamp, or it is no number" ;;
  esac

  good=
  for secret in $WEBHOOK_SECRET; do
    key=$(printf '%s' "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    [ -n "$key" ] && [ "${#key}" -le 128 ] || trouble "a secret is not whsec_ and base64"
    want=v1,$({ printf '%s.%s.' "$id" "$stamp"; cat "$body"; } | hmac "$key")
    for signature in $signatures; do
      # A server that answers strangers must compare in constant time; this answers only you.
      if [ "$signature" = "$want" ]; then good=yes; fi
    done
  done
  [ -n "$good" ] || refused signature "none of the signatures is good for the secret: it is another one, or the body is not as it was sent"

  age=$((now - stamp))
  if [ "$age" -gt "$tolerance" ] || [ "$age" -lt "-$tolerance" ]; then
    refused timestamp "it was signed $age seconds ago: an old message sent again by somebody, or a wrong clock"
  fi
  jq -e -r --arg id "$id" 'select(.id == $id) | "good: message \(.sequence), \(.type), \(.id)"' <"$body" 2>/dev/null ||
    refused body "it is no message with the id of its headers"
}

# ask PATH: what till answers.
ask() {
  printf 'header = "X-API-Key: %s"\n' "$TILL_API_KEY" |
    curl -sS --max-time 40 --retry 3 -K - "${TILL:-http://127.0.0.1:8080}$1" >"$dir/answer" || trouble "till does not answer"
  jq -e .success <"$dir/answer" >/dev/null 2>&1 ||
    trouble "till refused: $(jq -r .error.message <"$dir/answer" 2>/dev/null || echo "what answers there is not till")"
  cat "$dir/answer"
}

# chain HASH: the hash over the ids in the second column of what is read, after HASH.
chain() {
  hash=$1
  while read -r _ id _; do
    hash=$(printf '%s\n%s' "$hash" "$id" | openssl dgst -sha256 -r)
    hash=${hash%% *}
  done
  printf '%s\n' "$hash"
}

audit() {
  received=$1 after=${2:-0} hash=${3:-}
  [ -r "$received" ] || trouble "cannot read $received"
  [ -n "${TILL_API_KEY:-}" ] || trouble "TILL_API_KEY is not set"
  case $after in *[!0-9]*) trouble "AFTER is a number, not $after" ;; esac
  unreadable=$(awk 'NF > 0 && ($1 !~ /^[0-9]+$/ || NF < 2) { print NR; exit }' "$received")
  [ -z "$unreadable" ] || trouble "line $unreadable of $received is not a sequence and an id"
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT

  ask /v1/webhooks/endpoints >"$dir/endpoints"
  endpoint=$(jq -r '.data[0].id // empty' <"$dir/endpoints")
  [ -n "$endpoint" ] || trouble "there is no webhook endpoint yet"
  checkpoint=$(jq -r '.data[0].checkpoint.sequence // 0' <"$dir/endpoints")
  stated=$(jq -r '.data[0].checkpoint.hash // empty' <"$dir/endpoints")

  # What till sent, a line "sequence id type" each, page by page.
  next=$after
  : >"$dir/sent"
  while [ -n "$next" ]; do
    ask "/v1/webhooks/endpoints/$endpoint/events?after=$next&limit=100" >"$dir/page"
    jq -r '.data[] | "\(.sequence) \(.id) \(.type)"' <"$dir/page" >>"$dir/sent"
    next=$(jq -r .page.next <"$dir/page")
  done

  # Held against what came. A number that till has given since is no fault.
  awk -v after="$after" '
    FILENAME == ARGV[1] { sent[$1] = $2; type[$1] = $3; order[++n] = $1; last = $1; next }
    NF == 0 || $1 + 0 <= after { next }
    { came[$1] = 1; if (!($1 in sent)) { if ($1 + 0 <= last) print "unknown " $1 " " $2 } else if (sent[$1] != $2) print "differs " $1 " " $2 ", till sent " sent[$1] }
    END { for (i = 1; i <= n; i++) if (!(order[i] in came)) print "missing " order[i] " " sent[order[i]] " " type[order[i]] }
  ' "$dir/sent" "$received" >"$dir/faults"
  cat "$dir/faults"

  # Held against what till has stated.
  if [ "$checkpoint" -gt "$after" ]; then
    computed=$(awk -v upto="$checkpoint" '$1 + 0 <= upto' "$dir/sent" | chain "$hash")
    if [ "$computed" = "$stated" ]; then
      echo "checkpoint $checkpoint $stated holds"
    else
      echo "checkpoint $checkpoint does not hold: till stated $stated, and its ids give $computed"
      echo checkpoint >>"$dir/faults"
    fi
  fi
  echo "$(wc -l <"$dir/sent" | tr -d ' ') sent, $(grep -c '^missing' "$dir/faults" || true) missing"
  [ ! -s "$dir/faults" ]
}

case "${1:-} $#" in
"verify 3") verify "$2" "$3" ;;
"audit 2" | "audit 4") shift; audit "$@" ;;
*) sed -n '2,17s/^# \{0,1\}//p' "$0"; [ "${1:-}" = --help ] || exit 2 ;;
esac
