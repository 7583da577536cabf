package merchant

import (
	"math/big"
	"strings"
)

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var radix = big.NewInt(int64(len(digits)))

// encode62 writes bytes as a number to the base 62, in exactly width digits; the width must hold every number of so many bytes.
func encode62(b []byte, width int) string {
	text := make([]byte, width)
	n, digit := new(big.Int).SetBytes(b), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, radix, digit)
		text[i] = digits[digit.Int64()]
	}
	return string(text)
}

// decode62 is the inverse of encode62. It refuses other characters, and numbers that so many bytes cannot hold.
func decode62(s string, size int) ([]byte, bool) {
	n := new(big.Int)
	for i := range len(s) {
		digit := strings.IndexByte(digits, s[i])
		if digit < 0 {
			return nil, false
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(digit)))
	}
	if n.BitLen() > 8*size {
		return nil, false
	}
	return n.FillBytes(make([]byte, size)), true
}
