// Package id makes till's own identifiers and secrets.
package id

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// New is a UUID of version 7 (RFC 9562): unique everywhere, and in the order of its making, so that it serves as a paging key.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// From is a UUID of version 5 that follows from what it is the id of: whoever makes it from the same parts makes the same.
func From(parts ...string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.Join(parts, "\n"))).String()
}

// Valid says whether s is written as New writes it: 36 lower-case characters of a UUID, of any version.
func Valid(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}

// Token is n random bytes in unpadded URL-safe base64: for secrets that a person or a program carries.
func Token(n int) string { return base64.RawURLEncoding.EncodeToString(random(n)) }

// Hex is n random bytes as 2n hexadecimal digits.
func Hex(n int) string { return hex.EncodeToString(random(n)) }

// Secret is n random bytes.
func Secret(n int) []byte { return random(n) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead (Go 1.24)
	return b
}
