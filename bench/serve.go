package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/till-pay/till/sandbox"
)

// maxHello bounds the answers of hello, in bytes.
const maxHello = 1 << 20

func helloCommand() []string { return []string{os.Args[0], "serve", "-what", "hello"} }

// serve is this program as one of the servers: hello, or a sandbox that profiles itself (till's own has no such thing).
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	what := flags.String("what", "hello", "hello or sandbox")
	data := flags.String("data", "", "the folder to keep the worlds in; empty keeps none")
	into := flags.String("profile", "", "the profile of the processors; that of the allocations goes beside it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	if *what == "hello" {
		server := &http.Server{Handler: http.HandlerFunc(hello), ReadHeaderTimeout: 10 * time.Second}
		defer context.AfterFunc(ctx, func() { server.Close() })()
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
	return profiled(*into, func() error { return serveSandbox(ctx, l, *data) })
}

// garbage is how till sandbox has its garbage collected.
const garbage = 200

func serveSandbox(ctx context.Context, l net.Listener, data string) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	box := sandbox.NewServer()
	if data != "" {
		if err := box.Keep(data); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	return box.Serve(ctx, l)
}

var helloBody = []byte(strings.Repeat("hello, w", maxHello/8))

// hello reads the request and answers as many bytes as the path names.
func hello(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if _, unread := io.Copy(io.Discard, r.Body); unread != nil || err != nil || n < 0 || n > maxHello {
		http.Error(w, "The path is a number of bytes.", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(n))
	_, _ = w.Write(helloBody[:n])
}

// profiled writes down where the time and the allocations of a piece of work went.
func profiled(name string, work func() error) error {
	into, err := os.Create(name)
	if err != nil {
		return err
	}
	defer into.Close()
	allocations, err := os.Create(strings.TrimSuffix(name, filepath.Ext(name)) + ".allocs.prof")
	if err != nil {
		return err
	}
	defer allocations.Close()
	runtime.MemProfileRate = 64 << 10
	if err := pprof.StartCPUProfile(into); err != nil {
		return err
	}
	err = work()
	pprof.StopCPUProfile()
	return errors.Join(err, pprof.Lookup("allocs").WriteTo(allocations, 0))
}

// How the sandbox is loaded while it is profiled.
const (
	profileConnections = 64
	profileLength      = 10 * time.Second
)

// profiles are what the sandbox is profiled with: each of the measured requests, and payments that are kept on disk.
var profiles = []struct {
	name    string
	request int
	kept    bool
}{{"post", 0, false}, {"get", 1, false}, {"journal", 0, true}}

// profile loads a sandbox that profiles itself, and prints where its time went.
func profile(ctx context.Context, s settings) error {
	if err := os.MkdirAll(s.profile, 0o755); err != nil {
		return err
	}
	for _, p := range profiles {
		into := filepath.Join(s.profile, p.name+".prof")
		got, err := profileOne(ctx, into, p.request, p.kept)
		if err != nil {
			return err
		}
		fmt.Printf("%s (%s): %s requests/s, processor %s µs each\n", measuredRequests[p.request], p.name, thousands(int64(got.perSecond())), micros(got.busy))
		for _, by := range []string{"-flat", "-cum"} {
			top := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", by, "-nodecount=45", into)
			top.Stdout, top.Stderr = os.Stdout, os.Stderr
			if err := top.Run(); err != nil {
				return err
			}
		}
	}
	return nil
}

func profileOne(ctx context.Context, into string, which int, kept bool) (sample, error) {
	command := []string{os.Args[0], "serve", "-what", "sandbox", "-profile", into}
	if kept {
		data, err := os.MkdirTemp("", "till-bench-")
		if err != nil {
			return sample{}, err
		}
		defer os.RemoveAll(data)
		command = append(command, "-data", data)
	}
	one, err := launch(ctx, command...)
	if err != nil {
		return sample{}, err
	}
	defer one.stop()
	id, err := customer(one.addr)
	if err != nil {
		return sample{}, err
	}
	c := &contender{name: "sandbox", server: one, requests: []*request{pay(one.addr), get(one.addr, "/v1/customers/"+id)}, samples: map[measured][]sample{}}
	m := measured{which, profileConnections}
	if err := c.take(ctx, m, profileLength); err != nil {
		return sample{}, err
	}
	return c.samples[m][0], nil
}
