package main

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// loops is how many threads send: more would only wait for a processor.
const loops = 2

// run lets each of a few threads send over its share of the connections. What is ready is asked of epoll for all of them at once, for
// a goroutine for each connection was measured to cost the machine as much again as a server that only says hello.
func (d *drive) run(connections int) error {
	var wg sync.WaitGroup
	errs := make([]error, loops)
	for i := range loops {
		if share := (connections + loops - 1 - i) / loops; share > 0 {
			wg.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				errs[i] = d.loop(share)
			})
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// loop sends over some connections until there is no more to send and the last answer is in.
func (d *drive) loop(connections int) error {
	l := &loop{drive: d}
	defer l.close()
	if err := l.open(connections); err != nil {
		return err
	}
	ready := make([]syscall.EpollEvent, connections)
	deadline := d.began.Add(d.length + lastAnswer)
	for l.waiting > 0 {
		n, err := syscall.EpollWait(l.poll, ready, 100) // milliseconds
		if err != nil && err != syscall.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, e := range ready[:max(n, 0)] {
			if err := l.receive(l.lines[e.Fd]); err != nil {
				return err
			}
		}
		if err := d.ctx.Err(); err != nil {
			return err
		}
		if n == 0 && time.Now().After(deadline) {
			return os.ErrDeadlineExceeded
		}
	}
	d.add(l.took)
	return nil
}

// loop is what one thread sends over.
type loop struct {
	*drive
	poll    int // 0 until it is open
	lines   map[int32]*line
	waiting int // lines whose answer is not in
	took    []time.Duration
}

// line is one connection, by its file descriptor.
type line struct {
	fd   int
	out  []byte
	in   []byte
	sent time.Time
}

// open connects, and sends the first requests.
func (l *loop) open(connections int) (err error) {
	if l.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create", err)
	}
	to, err := netip.ParseAddrPort(l.addr)
	if err != nil {
		return err
	}
	l.lines = map[int32]*line{}
	for range connections {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		one := &line{fd: fd, out: l.request.own(), in: make([]byte, 0, 64<<10)}
		l.lines[int32(fd)] = one
		err = errors.Join(
			os.NewSyscallError("connect", syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})),
			os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)),
			os.NewSyscallError("fcntl", syscall.SetNonblock(fd, true)),
			os.NewSyscallError("epoll_ctl", syscall.EpollCtl(l.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})))
		if err != nil {
			return err
		}
	}
	for _, one := range l.lines {
		if err := l.send(one, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) close() {
	for _, one := range l.lines {
		syscall.Close(one.fd)
	}
	if l.poll > 0 {
		syscall.Close(l.poll)
	}
}

// send sends a line's next request, if there is one.
func (l *loop) send(one *line, now time.Time) error {
	if !l.more(now) {
		return nil
	}
	l.request.number(one.out)
	n, err := syscall.Write(one.fd, one.out)
	if err == nil && n < len(one.out) {
		err = errors.New("the request is too long")
	}
	one.sent = now
	l.waiting++
	return os.NewSyscallError("write", err)
}

// receive reads what has come in on a line; when that ends the answer, the next request goes out.
func (l *loop) receive(one *line) error {
	if len(one.in) == cap(one.in) {
		one.in = append(make([]byte, 0, 2*cap(one.in)), one.in...)
	}
	n, err := syscall.Read(one.fd, one.in[len(one.in):cap(one.in)])
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return errors.New("the server ended the connection")
	}
	one.in = one.in[:len(one.in)+n]
	r, err := readReply(one.in)
	if err != nil || r.size == 0 {
		return err
	}
	if err := r.refused(one.in); err != nil {
		return err
	}
	now := time.Now()
	l.took = append(l.took, now.Sub(one.sent))
	l.waiting--
	one.in = one.in[:0]
	return l.send(one, now)
}
