package merchant

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

func TestBase62HoldsEveryNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, width int }{{16, merchantDigits}, {keyBytes, keyDigits}} {
		if bits := float64(c.width) * math.Log2(62); bits < float64(8*c.size) {
			t.Errorf("%d digits hold %f bits, not %d", c.width, bits, 8*c.size)
		}
		most := bytes.Repeat([]byte{0xff}, c.size)
		s := encode62(most, c.width)
		if got, ok := decode62(s, c.size); !ok || !bytes.Equal(got, most) {
			t.Errorf("the largest number comes back as %x", got)
		}
		if _, ok := decode62(strings.Repeat("z", c.width), c.size); ok {
			t.Errorf("%d digits hold more than %d bytes, and were taken", c.width, c.size)
		}
	}
	if got := encode62([]byte{0, 61}, 3); got != "00z" {
		t.Errorf("61 is written %s", got)
	}
}

func TestKeyTellsItsScope(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var merchant uuid.UUID
		copy(merchant[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "merchant"))
		scope := db.Scope{Merchant: merchant.String(), Mode: rapid.SampledFrom([]string{Test, Live}).Draw(t, "mode")}
		key := writeKey(scope, rapid.SliceOfN(rapid.Byte(), keyBytes, keyBytes).Draw(t, "random"))
		if got, ok := readKey(key); !ok || got != scope || len(key) != keyLength {
			t.Fatalf("%v comes back as %v, %v", scope, got, ok)
		}
		cut := rapid.IntRange(0, len(key)-1).Draw(t, "cut")
		if _, ok := readKey(key[:cut]); ok {
			t.Fatalf("a key cut to %d characters is taken", cut)
		}
	})
}

// FuzzReadKey: whatever is taken is a key that we could have written, and nothing makes the reader fail.
func FuzzReadKey(f *testing.F) {
	good := writeKey(db.Scope{Merchant: id.New(), Mode: Test}, id.Secret(keyBytes))
	for _, s := range []string{
		"", good, strings.Replace(good, testPrefix, livePrefix, 1), good[:len(good)-1], good + "0", " " + good, testPrefix, livePrefix,
		testPrefix + strings.Repeat("z", merchantDigits+keyDigits), testPrefix + strings.Repeat("0", merchantDigits+keyDigits),
		testPrefix + strings.Repeat("0", merchantDigits) + strings.Repeat("z", keyDigits),
		testPrefix + strings.Repeat("é", (merchantDigits+keyDigits)/2) + "0", testPrefix + strings.Repeat("\x00", merchantDigits+keyDigits),
		strings.ToUpper(good), strings.Replace(good, "_", "-", 2),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		scope, ok := readKey(s)
		if !ok {
			if scope != (db.Scope{}) && scope.Merchant != "" {
				t.Fatalf("%q is refused, and yet names %v", s, scope)
			}
			return
		}
		random, _ := decode62(s[len(testPrefix)+merchantDigits:], keyBytes)
		if !id.Valid(scope.Merchant) || writeKey(scope, random) != s {
			t.Fatalf("%q is taken as %v, whose key it is not", s, scope)
		}
	})
}
