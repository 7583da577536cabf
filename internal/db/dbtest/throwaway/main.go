// Throwaway runs a command with a PostgreSQL server of its own, which is gone afterwards:
//
//	go run ./internal/db/dbtest/throwaway go test ./...
//
// The server listens on 127.0.0.1 only, keeps its data in a temporary folder, and never flushes to disk.
// Where no PostgreSQL is installed the command runs without one, after a loud word on how to get it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/db/dbtest/cluster"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: throwaway COMMAND [ARGUMENT…]")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1:]))
}

func run(command []string) int {
	if _, err := cluster.Binaries(); err != nil {
		fmt.Fprintf(os.Stderr, "\n*** %v\n*** Only the SQLite half of the tests runs. For the other half: apt-get install postgresql\n\n", err)
		return execute(command, "")
	}
	dir, err := os.MkdirTemp("", "till-postgres-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, err := cluster.Start(dir, "synchronous_commit=off")
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a throw-away PostgreSQL:", err)
		return 1
	}
	defer server.Stop()
	return execute(command, server.URL)
}

func execute(command []string, url string) int {
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = os.Environ()
	if url != "" {
		c.Env = append(c.Env, dbtest.Variable+"="+url)
	}
	// An interrupt goes to the whole group: the command ends by it, and then we clean up.
	signal.Ignore(os.Interrupt)
	var ended *exec.ExitError
	switch err := c.Run(); {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return max(ended.ExitCode(), 1)
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}
