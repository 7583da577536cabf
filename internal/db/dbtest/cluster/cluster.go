// Package cluster is a throw-away PostgreSQL server. It listens on 127.0.0.1 only, keeps its data in a folder that it is given, and never
// flushes to the disk: it survives the death of its processes, not that of the machine.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a running server.
type Cluster struct {
	URL string // of its database postgres, for the superuser till

	bin, dir, port string
	settings       []string
	as             *syscall.SysProcAttr
	server         *exec.Cmd
}

// Binaries is the folder of the newest installed server; Debian keeps it off the PATH.
func Binaries() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		sort.Strings(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server is installed")
}

// Start makes a server in an empty folder, with settings such as "synchronous_commit=off" besides its own.
func Start(dir string, settings ...string) (*Cluster, error) {
	bin, err := Binaries()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "till", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c := &Cluster{URL: "postgres://till@127.0.0.1:" + port + "/postgres?sslmode=disable", bin: bin, dir: dir, port: port, settings: settings, as: as}
	return c, c.run()
}

// run starts the server, and returns when it takes connections.
func (c *Cluster) run() error {
	args := []string{"-D", filepath.Join(c.dir, "data"), "-p", c.port, "-k", c.dir}
	for _, s := range append([]string{"listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=400", "shared_buffers=64MB", "log_min_messages=fatal"}, c.settings...) {
		args = append(args, "-c", s)
	}
	c.server = exec.Command(filepath.Join(c.bin, "postgres"), args...)
	c.server.SysProcAttr, c.server.Dir, c.server.Stderr = c.as, c.dir, os.Stderr
	if err := c.server.Start(); err != nil {
		return err
	}
	for range 300 { // 30 seconds
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		conn, err := pgx.Connect(ctx, c.URL)
		if err == nil {
			err = conn.Close(ctx)
		}
		cancel()
		if err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.Stop()
	return errors.New("the server did not come up within 30 seconds")
}

// Stop ends the server at once, as "pg_ctl stop -m immediate" does: nothing here is worth a checkpoint.
func (c *Cluster) Stop() {
	_ = c.server.Process.Signal(syscall.SIGQUIT)
	_ = c.server.Wait()
}

// Restart ends the server at once and starts it again on the same port: it recovers from its log, as after a crash.
func (c *Cluster) Restart() error {
	c.Stop()
	return c.run()
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
