//go:build !poison

package spec

// poisoned is for tests of programs that use Spent: see the build tag poison.
const poisoned = false
