package sandbox

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// linkPath is where the links to files are. What follows is the world's tag, the id of the link without its prefix, and a token.
const (
	linkPath  = "/links/"
	linkToken = 16
)

// contentsOf is the id of the file whose content a request asks for: GET /v1/files/{file}/contents, which Stripe's document lacks.
func contentsOf(r *http.Request) (id string, ok bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/files/")
	if !ok || r.Method != http.MethodGet {
		return "", false
	}
	id, ok = strings.CutSuffix(rest, "/contents")
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// serveContents answers with the content of a file.
func (x *exchange) serveContents(id string) {
	op, _, _ := spec.Match(http.MethodGet, "/v1/files/file_1")
	err := x.allowed(op)
	var found *contents
	_ = x.world.step(func() { // nothing changes
		x.id = x.world.home.newShortID("req_")
		status, code := http.StatusOK, ""
		if err == nil {
			err = x.admit()
		}
		if err == nil {
			found, err = x.realm.contents(id)
		}
		if err != nil {
			status, code = asAPIError(err).status, asAPIError(err).code
		}
		x.log("", status, code)
	})
	if err != nil {
		x.fail(err)
		return
	}
	x.out.Header().Set("Request-Id", x.id)
	found.write(x.out)
}

// contents is the content of a file, on its way out.
type contents struct {
	name, kind string
	content    []byte
}

// contents finds the content of a file that can be had back and has not expired.
func (w *realm) contents(id string) (*contents, error) {
	r := w.find("file", id)
	if r == nil {
		return nil, kinds["file"].notFound(id)
	}
	if name := r.text("purpose"); purposes[name].shut {
		return nil, &apiError{status: http.StatusForbidden, kind: invalidRequest, message: "The content of files with the purpose " + name + " cannot be downloaded."}
	}
	if until, ok := r.object().Get("expires_at").(int64); ok && until <= w.now().Unix() {
		return nil, &apiError{status: http.StatusNotFound, kind: invalidRequest, code: "resource_missing", param: "file", message: "The file " + id + " has expired."}
	}
	return &contents{name: r.text("filename"), kind: r.text("type"), content: known[filed](r).Content}, nil
}

// write sends a file as what it is. No browser runs anything that may be in it.
func (f *contents) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", mimeOf(f.kind))
	h.Set("Content-Disposition", "inline; filename*=UTF-8''"+url.PathEscape(f.name))
	h.Set("Content-Length", strconv.Itoa(len(f.content)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(f.content) // a caller who has gone is no business of ours
}

// serveLink answers whoever has the address of a link: without a key, as long as the link lasts.
func (s *Server) serveLink(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "A link to a file takes GET and HEAD.", http.StatusMethodNotAllowed)
		return
	}
	found := s.linkedFile(strings.TrimPrefix(r.URL.Path, linkPath))
	if found == nil {
		http.Error(w, "This link to a file is not, or no longer, open.", http.StatusNotFound)
		return
	}
	found.write(w)
}

// linkedFile finds what an address stands for; nil where it is none, or one that has expired.
func (s *Server) linkedFile(address string) (found *contents) {
	const tag, id = 16, 24 // characters of the world's tag, and of a link's id without its prefix
	if len(address) != tag+id+linkToken {
		return nil
	}
	s.mu.Lock()
	w := s.tags[address[:tag]]
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	_ = w.step(func() { // nothing changes
		link := w.lookup("link_" + address[tag:tag+id])
		if link == nil || link.gone || link.resource.Object != "file_link" {
			return
		}
		_, own, ok := strings.Cut(link.text("url"), linkPath)
		if ok && subtle.ConstantTimeCompare([]byte(own), []byte(address)) == 1 {
			found, _ = link.realm.contents(link.text("file"))
		}
	})
	return found
}
