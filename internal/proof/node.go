package proof

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// node is a place where a till runs: when the process dies, another is started, as a supervisor does.
type node struct {
	world *world
	t     *trial
	name  string
	again <-chan struct{} // let another start: closed is at once, nil is never
	gone  chan struct{}   // closed when no other will start

	mu     sync.Mutex
	now    *process
	deaths int
	up     chan struct{} // closed when the first process is ready, or dead
}

// runs starts a node; envs are the environments of its processes, one after the other: later ones have none.
func (m *matrix) runs(w *world, t *trial, name string, again <-chan struct{}, envs ...[]string) *node {
	n := &node{world: w, t: t, name: name, again: again, gone: make(chan struct{}), up: make(chan struct{})}
	stop := make(chan struct{})
	go n.live(m, stop, envs)
	t.Cleanup(func() {
		close(stop)
		for over := false; !over; {
			n.kill()
			select {
			case <-n.gone:
				over = true
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	return n
}

func (n *node) live(m *matrix, stop chan struct{}, envs [][]string) {
	defer close(n.gone)
	const most = 200 // a disk that is full refuses every start
	for i := range most {
		env := m.env(filepath.Join(n.t.folder, fmt.Sprintf("points-%s-%d.log", n.name, i)))
		if i < len(envs) {
			env = append(env, envs[i]...)
		}
		p, err := launch(m.program, env, n.world.arguments()...)
		if err != nil {
			n.t.found(broken, "%v", err)
			return
		}
		if n.is(p); i == 0 {
			close(n.up)
		}
		n.world.front.stand(p.api, n.name == "a")
		<-p.ended
		n.world.front.fall(p.api)
		n.t.Logf("the log of node %s, process %d:\n%s", n.name, i, p.said())
		n.hasDied()
		select {
		case <-stop:
			return
		default:
		}
		select {
		case <-stop:
			return
		case <-n.again:
		}
		if !p.dead() && !n.t.pause(100*time.Millisecond) {
			return
		}
	}
	n.t.found(stuck, "till has been started %d times", most)
}

func (n *node) is(p *process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = p
}

func (n *node) process() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *node) hasDied() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deaths++
}

// died is how many of its processes have.
func (n *node) died() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.deaths
}

// kill ends the process that runs at the moment, wherever it is.
func (n *node) kill() {
	select {
	case <-n.up:
		n.process().kill()
	case <-n.gone: // it never ran
	}
}

// atOnce lets a node start another process as soon as one has died.
var atOnce = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()
