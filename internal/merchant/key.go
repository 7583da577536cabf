package merchant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// Key is an API key as we keep it: without the key.
type Key struct {
	db.Scope
	ID        string
	Name      string
	Hint      string // the last four characters, to tell keys apart
	Scopes    []string
	CreatedAt time.Time
	RevokedAt time.Time // zero while it is good
}

// KeyInput describes a key to be made. Merchant is an id or a name.
type KeyInput struct {
	Merchant string
	Mode     string
	Name     string
	Scopes   []string
}

// CreateKey makes an API key and gives it out, this once.
func (m *Merchants) CreateKey(ctx context.Context, in KeyInput) (key Key, secret string, err error) {
	if err := checkMode(in.Mode); err != nil {
		return Key{}, "", err
	}
	scopes, err := CheckScopes(in.Scopes)
	if err != nil {
		return Key{}, "", err
	}
	name := strings.TrimSpace(in.Name)
	if name != "" {
		if err := checkName(name); err != nil {
			return Key{}, "", err
		}
	}
	owner, err := m.Find(ctx, in.Merchant)
	if err != nil {
		return Key{}, "", err
	}
	scope := db.Scope{Merchant: owner.ID, Mode: in.Mode}
	secret = writeKey(scope, id.Secret(keyBytes))
	key = Key{Scope: scope, ID: id.New(), Name: name, Hint: secret[len(secret)-4:], Scopes: scopes, CreatedAt: m.Clock.Now()}
	if err := m.DB.Write(ctx, insertKey(key, hash(secret))); err != nil {
		return Key{}, "", err
	}
	return key, secret, nil
}

// Keys are the API keys of a merchant in one mode, the oldest first, revoked ones too.
func (m *Merchants) Keys(ctx context.Context, scope db.Scope) ([]Key, error) {
	return listKeys(ctx, m.DB, scope)
}

// RevokeKey ends a key, on every node at once. To revoke it again changes nothing.
func (m *Merchants) RevokeKey(ctx context.Context, scope db.Scope, keyID string) (Key, error) {
	if err := m.DB.Write(ctx, revokeKey(scope, keyID, m.Clock.Now())); err != nil {
		return Key{}, err
	}
	key, err := findKey(ctx, m.DB, scope, keyID)
	if errors.Is(err, db.ErrNone) {
		return Key{}, fault.New(fault.ResourceMissing, "key", "The merchant has no API key with this id.")
	}
	return key, err
}

// CheckScopes gives the scopes back in the order of the reference, each once.
func CheckScopes(asked []string) ([]string, error) {
	all := strings.Join(api.Scopes, ", ")
	if len(asked) == 0 {
		return nil, fault.New(fault.ParameterMissing, "scopes", "A key needs at least one scope of: %s.", all)
	}
	for _, s := range asked {
		if !slices.Contains(api.Scopes, s) {
			return nil, fault.New(fault.ParameterInvalid, "scopes", "%.40q is not a scope; the scopes are: %s.", s, all)
		}
	}
	var scopes []string
	for _, s := range api.Scopes {
		if slices.Contains(asked, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes, nil
}

// The form of a key: its prefix, the merchant's id and 32 random bytes, both to the base 62 in fixed width. So a key is looked up
// inside its own scope, and needs no index over all merchants.
const (
	testPrefix     = "till_test_"
	livePrefix     = "till_live_"
	merchantDigits = 22 // 62^22 > 2^128
	keyBytes       = 32
	keyDigits      = 43 // 62^43 > 2^256
	keyLength      = len(testPrefix) + merchantDigits + keyDigits
)

// writeKey is the key of a scope and its random bytes.
func writeKey(scope db.Scope, random []byte) string {
	prefix := testPrefix
	if scope.Mode == Live {
		prefix = livePrefix
	}
	merchant := uuid.MustParse(scope.Merchant)
	return prefix + encode62(merchant[:], merchantDigits) + encode62(random, keyDigits)
}

// readKey is the scope that a key names. It says nothing of whether there is such a key.
func readKey(s string) (db.Scope, bool) {
	var scope db.Scope
	switch {
	case len(s) != keyLength:
		return scope, false
	case strings.HasPrefix(s, testPrefix):
		scope.Mode = Test
	case strings.HasPrefix(s, livePrefix):
		scope.Mode = Live
	default:
		return scope, false
	}
	rest := s[len(testPrefix):]
	merchant, ok := decode62(rest[:merchantDigits], len(uuid.UUID{}))
	if !ok {
		return db.Scope{}, false
	}
	if _, ok := decode62(rest[merchantDigits:], keyBytes); !ok {
		return db.Scope{}, false
	}
	scope.Merchant = uuid.UUID(merchant).String()
	return scope, true
}

// hash is what we keep of a key. SHA-256 suffices: 256 random bits cannot be guessed, however fast the hash.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
