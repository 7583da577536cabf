//go:build !race

package sandbox_test

// slowness is how many times slower than on a quiet machine things may be.
const slowness = 3
