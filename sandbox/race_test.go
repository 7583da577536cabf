//go:build race

package sandbox_test

// slowness is how many times slower the race detector makes things, at most.
const slowness = 10
