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
	"net"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"
	"time"

	"github.com/till-pay/till/internal/db/dbtest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: throwaway COMMAND [ARGUMENT…]")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1:]))
}

func run(command []string) int {
	bin, err := binaries()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n*** %v\n*** Only the SQLite half of the tests runs. For the other half: apt-get install postgresql\n\n", err)
		return execute(command, "")
	}
	dir, err := os.MkdirTemp("", "till-postgres-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, url, err := start(bin, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a throw-away PostgreSQL:", err)
		return 1
	}
	defer stop(server)
	return execute(command, url)
}

// binaries is the folder of the newest installed server; Debian keeps it off the PATH.
func binaries() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		sort.Strings(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server is installed")
}

func start(bin, dir string) (*exec.Cmd, string, error) {
	as, err := unprivileged(dir)
	if err != nil {
		return nil, "", err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "till", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-k", dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
		"-c", "max_connections=400", "-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal")
	server.SysProcAttr, server.Dir, server.Stderr = as, dir, os.Stderr
	if err := server.Start(); err != nil {
		return nil, "", err
	}
	for range 300 { // 30 seconds
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
			return server, "postgres://till@127.0.0.1:" + port + "/postgres?sslmode=disable", nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop(server)
	return nil, "", errors.New("the server did not come up within 30 seconds")
}

// unprivileged is how to run the server: PostgreSQL refuses to run as root, so root hands it to the user postgres or nobody.
// The server dies with us, whatever ends us.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

func stop(server *exec.Cmd) {
	_ = server.Process.Signal(syscall.SIGQUIT) // at once: nothing here is worth a checkpoint
	_ = server.Wait()
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
