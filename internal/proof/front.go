package proof

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
)

// front is an address of till's that stays: before the processes that live at the moment, which take turns.
type front struct {
	*httptest.Server
	mu     sync.Mutex
	inside http.Handler // a till in this process, instead
	nodes  []string     // host:port
	favour bool         // the first in line gets every request
	turns  int
	proxy  *httputil.ReverseProxy
}

func newFront(t T) *front {
	f := &front{proxy: &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport:    &http.Transport{MaxIdleConnsPerHost: 64},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // a caller sees its connection cut, as without a proxy
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = f.proxy.ErrorLog
	f.Start()
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
		f.proxy.Transport.(*http.Transport).CloseIdleConnections()
	})
	return f
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	inside, node := f.inside, ""
	if len(f.nodes) > 0 {
		if f.turns++; f.favour {
			f.turns = 0
		}
		node = f.nodes[f.turns%len(f.nodes)]
	}
	f.mu.Unlock()
	switch {
	case inside != nil:
		inside.ServeHTTP(w, r)
	case node == "":
		panic(http.ErrAbortHandler)
	default:
		to := r.Clone(r.Context())
		to.URL.Scheme, to.URL.Host = "http", node
		f.proxy.ServeHTTP(w, to)
	}
}

func (f *front) turn(inside http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside = inside
}

// stand puts a process in line, or before all others.
func (f *front) stand(node string, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case node == "":
	case first:
		f.nodes = slices.Insert(f.nodes, 0, node)
	default:
		f.nodes = append(f.nodes, node)
	}
}

// fall takes a process out of it.
func (f *front) fall(node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes = slices.DeleteFunc(f.nodes, func(n string) bool { return n == node })
}

// link is the way from till to Stripe: it can be cut, with all that is on it. Where till dies, Stripe does not see that its caller is gone
// before it has answered, as over a long way: what it was asked, it does.
type link struct {
	URL  string
	to   string
	mu   sync.Mutex
	down bool
	on   map[net.Conn]bool
}

func newLink(t T, stripe string) *link {
	u, err := url.Parse(stripe)
	if err != nil {
		t.Fatalf("%v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	l := &link{URL: "http://" + listener.Addr().String(), to: u.Host, on: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = listener.Close(); l.cut(true) })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(c)
		}
	}()
	return l
}

// cut ends every connection; down refuses new ones.
func (l *link) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for c := range l.on {
		_ = c.Close()
	}
}

func (l *link) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

func (l *link) carry(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer to.Close()
	l.mu.Lock()
	down := l.down
	l.on[from], l.on[to] = true, true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.on, from)
		delete(l.on, to)
	}()
	if down {
		return
	}
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
	<-ended
}
