//go:build !prove

// Package crash stands between till and what it reads and writes, so that a proof may kill the process before and after each such call. In
// an ordinary build everything here hands on what it is given, and the compiler leaves it out; under the build tag prove the calls are
// counted, and the process dies where it was told to.
package crash

import (
	"context"
	"io"
	"net"
	"net/http"
)

// Dial is the dialer that it is given.
func Dial(_ string, next func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return next
}

// Body is the body of a reply that it is given.
func Body(_ string, _ *http.Request, body io.Reader) io.Reader { return body }

// Driver is the database driver of that name.
func Driver(name string) string { return name }

// Step does a step.
func Step(_ string, do func() error) error { return do() }

// Bug says whether a bug is planted: never.
func Bug(string) bool { return false }
