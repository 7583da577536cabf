//go:build poison

package spec

// poisoned makes a released object one of no shape, and never gives its room to another: whoever looks at it panics.
const poisoned = true
