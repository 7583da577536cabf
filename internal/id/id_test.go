package id_test

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/till-pay/till/internal/id"
)

func TestNewSortsInOrderOfMaking(t *testing.T) {
	t.Parallel()
	last := ""
	for range 10_000 { // many within one millisecond, where time alone would not tell them apart
		next := id.New()
		if next <= last {
			t.Fatalf("%s was made after %s", next, last)
		}
		last = next
	}
}

func TestNewIsUniqueAndSortedAcrossGoroutines(t *testing.T) {
	t.Parallel()
	const makers, each = 8, 1000
	made := make([][]string, makers)
	var wg sync.WaitGroup
	for i := range makers {
		wg.Go(func() {
			for range each {
				made[i] = append(made[i], id.New())
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, ids := range made {
		if !slices.IsSorted(ids) {
			t.Error("one goroutine's ids are out of order")
		}
		for _, s := range ids {
			seen[s] = true
		}
	}
	if len(seen) != makers*each {
		t.Errorf("%d different ids of %d", len(seen), makers*each)
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	fresh := id.New()
	if u, err := uuid.Parse(fresh); err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
		t.Errorf("%s is no UUID of version 7", fresh)
	}
	for _, s := range []string{fresh, uuid.NewString(), uuid.Nil.String()} {
		if !id.Valid(s) {
			t.Errorf("%q is refused", s)
		}
	}
	const plain = "019a1b2c-3d4e-7f50-8a6b-7c8d9e0fa1b2"
	for _, s := range []string{
		"", "x", "pi_3abc", "null", "*",
		strings.ToUpper(plain),
		strings.ReplaceAll(plain, "-", ""),
		strings.ReplaceAll(plain, "-", "_"),
		"{" + plain + "}", "urn:uuid:" + plain, " " + plain, plain + " ", plain + "\n", plain + "\x00", plain[1:], plain + "0",
		"g" + plain[1:], "'" + plain[1:], "٠" + plain[2:],
		strings.Repeat(plain, 1000),
	} {
		if id.Valid(s) {
			t.Errorf("%.60q is accepted", s)
		}
	}
}

func FuzzValid(f *testing.F) {
	for _, s := range []string{"019a1b2c-3d4e-7f50-8a6b-7c8d9e0fa1b2", "urn:uuid:019a1b2c-3d4e-7f50-8a6b-7c8d9e0fa1b2", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id.Valid(s) && (len(s) != 36 || strings.Trim(s, "0123456789abcdef-") != "") {
			t.Errorf("%q is accepted", s)
		}
	})
}

func TestSecretsHaveTheirLengthAndDiffer(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 16, 32, 33} {
		if b, err := base64.RawURLEncoding.DecodeString(id.Token(n)); err != nil || len(b) != n {
			t.Errorf("Token(%d) holds %d bytes, %v", n, len(b), err)
		}
		if b, err := hex.DecodeString(id.Hex(n)); err != nil || len(b) != n {
			t.Errorf("Hex(%d) holds %d bytes, %v", n, len(b), err)
		}
		if got := len(id.Secret(n)); got != n {
			t.Errorf("Secret(%d) holds %d bytes", n, got)
		}
	}
	seen := map[string]bool{}
	for range 2 {
		for _, made := range []string{id.Token(16), id.Hex(16), string(id.Secret(16))} {
			if seen[made] {
				t.Error("the same secret twice")
			}
			seen[made] = true
		}
	}
}

// Rows of Stripe's objects have such ids: from one release to the next they may not change.
func TestFromIsForEver(t *testing.T) {
	t.Parallel()
	if got, want := id.From("m", "test", "re_1"), uuid.NewSHA1(uuid.NameSpaceURL, []byte("m\ntest\nre_1")).String(); got != want {
		t.Errorf("%s, and it was %s", got, want)
	}
}
