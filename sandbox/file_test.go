package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// upload sends a file; header are further headers.
func (a *api) upload(purpose, name string, content []byte, header ...string) answer {
	a.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("purpose", purpose); err != nil {
		a.t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		a.t.Fatal(err)
	}
	_, _ = part.Write(content) // into a buffer
	_ = form.Close()
	return a.do(http.MethodPost, "/v1/files", body.String(), append([]string{"Content-Type", form.FormDataContentType()}, header...)...)
}

// file is upload that wants a 200.
func (a *api) file(purpose, name string, content []byte) answer {
	a.t.Helper()
	got := a.upload(purpose, name, content)
	if got.status != http.StatusOK {
		a.t.Fatalf("uploading %s: %d %s", name, got.status, got.raw)
	}
	return got
}

// fetch gets an address as anybody.
func (a *api) fetch(address string) (status int, header http.Header, body string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	got, err := a.server.Client().Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return got.StatusCode, got.Header, string(raw)
}

// TestContents: what was uploaded can be had back, with the key from its address and without it from a link, until they expire.
func TestContents(t *testing.T) {
	t.Parallel()
	a := bare(t)
	content := "%PDF-1.7\nürgent \x00\xff"
	file := a.file("dispute_evidence", `C:\letters\Ärger "1".pdf`, []byte(content))
	file.wants(t, http.StatusOK, map[string]any{"type": "pdf", "size": strconv.Itoa(len(content)), "purpose": "dispute_evidence", "filename": `Ärger "1".pdf`})
	path := "/v1/files/" + file.text("id") + "/contents"
	got := a.get(path, "")
	if got.raw != content || got.header.Get("Content-Type") != "application/pdf" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the content is %q of %s", got.raw, got.header)
	}
	if file.text("url") != a.server.URL+path {
		t.Errorf("the address is %s", file.text("url"))
	}
	if status, _, _ := a.fetch(a.server.URL + path); status != http.StatusUnauthorized {
		t.Errorf("without a key it answers %d", status)
	}
	browser := "Bearer pk" + strings.TrimPrefix(a.key, "sk")
	a.do(http.MethodGet, path, "", "Authorization", browser).wants(t, http.StatusUnauthorized, map[string]any{"error.code": "secret_key_required"})
	a.get("/v1/files/file_none/contents", "").wants(t, http.StatusNotFound, map[string]any{"error.code": "resource_missing"})
	link := a.must("/v1/file_links", "file="+file.text("id")+"&expires_at="+strconv.FormatInt(start.Add(time.Hour).Unix(), 10))
	if status, header, body := a.fetch(link.text("url")); status != http.StatusOK || body != content || header.Get("Content-Security-Policy") == "" {
		t.Errorf("the link answers %d %q", status, body)
	}
	address := link.text("url")
	for _, wrong := range []string{address[:len(address)-1] + "!", address[:len(address)-1], a.server.URL + "/links/", a.server.URL + "/links/" + strings.Repeat("x", 56)} {
		if status, _, _ := a.fetch(wrong); status != http.StatusNotFound {
			t.Errorf("%s answers %d", wrong, status)
		}
	}
	a.clock.Advance(time.Hour)
	if status, _, _ := a.fetch(address); status != http.StatusNotFound {
		t.Errorf("the link answers %d once it has expired", status)
	}
	a.get("/v1/file_links/"+link.text("id"), "").wants(t, http.StatusOK, map[string]any{"expired": true, "url": nil})
	a.clock.Advance(270 * days)
	a.get(path, "").wants(t, http.StatusNotFound, map[string]any{"error.code": "resource_missing"})
}

// TestUploadsAreRefused: by kind, by size and by form.
func TestUploadsAreRefused(t *testing.T) {
	t.Parallel()
	a := bare(t)
	sized := func(n int, begin string) []byte {
		b := make([]byte, n)
		copy(b, begin)
		return b
	}
	const png, pdf = "\x89PNG\r\n\x1a\n", "%PDF-1.7"
	for _, one := range []struct {
		purpose, name string
		content       []byte
		status        int
	}{
		{"dispute_evidence", "a.pdf", sized(5<<20, pdf), http.StatusOK},
		{"dispute_evidence", "a.pdf", sized(5<<20+1, pdf), http.StatusBadRequest},
		{"dispute_evidence", "a.pdf", nil, http.StatusBadRequest},
		{"dispute_evidence", "a.pdf", []byte("GIF89a"), http.StatusBadRequest},
		{"dispute_evidence", "a.pdf", []byte("MZ\x90\x00"), http.StatusBadRequest},
		{"business_icon", "a", []byte("GIF89a"), http.StatusOK},
		{"business_icon", "a.png", sized(512<<10+1, png), http.StatusBadRequest},
		{"business_icon", "a.pdf", []byte(pdf), http.StatusBadRequest},
		{"customer_signature", "a.svg", []byte("\n <svg xmlns='http://www.w3.org/2000/svg'/>"), http.StatusOK},
		{"pci_document", "a.csv", []byte("a,b\n1,2\n"), http.StatusOK},
		{"identity_document", "a.jpg", sized(16<<20, "\xff\xd8\xff"), http.StatusOK},
		{"identity_document", "a.jpg", sized(16<<20+1, "\xff\xd8\xff"), http.StatusRequestEntityTooLarge},
		{"identity_document", "a.jpg", sized(18<<20, "\xff\xd8\xff"), http.StatusRequestEntityTooLarge},
		{"selfie", "a.jpg", []byte("\xff\xd8\xff"), http.StatusBadRequest},
	} {
		if got := a.upload(one.purpose, one.name, one.content); got.status != one.status {
			t.Errorf("%s %s of %d bytes: %d %.300s", one.purpose, one.name, len(one.content), got.status, got.raw)
		}
	}
	for _, body := range []string{"", "--b\r\n", "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n" + strings.Repeat("x", 1<<17) + "\r\n--b--", strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", 300) + "--b--"} {
		if got := a.do(http.MethodPost, "/v1/files", body, "Content-Type", "multipart/form-data; boundary=b"); got.status != http.StatusBadRequest {
			t.Errorf("%.40q: %d %.200s", body, got.status, got.raw)
		}
	}
	a.do(http.MethodPost, "/v1/files", "x", "Content-Type", "multipart/form-data").wants(t, http.StatusBadRequest, nil)
	a.do(http.MethodPost, "/v1/files", "purpose=dispute_evidence&file=a", "Content-Type", "application/x-www-form-urlencoded").wants(t, http.StatusBadRequest, map[string]any{"error.param": "file"})
	if n := len(ids(a.get("/v1/files", ""))); n != 5 {
		t.Errorf("%d files are there", n)
	}
}

// TestUploadOnce: an idempotency key belongs to the file as well.
func TestUploadOnce(t *testing.T) {
	t.Parallel()
	a := bare(t)
	pdf := []byte("%PDF-1.7 one")
	first := a.upload("dispute_evidence", "a.pdf", pdf, "Idempotency-Key", "once")
	again := a.upload("dispute_evidence", "a.pdf", pdf, "Idempotency-Key", "once")
	if first.status != http.StatusOK || again.text("id") != first.text("id") {
		t.Errorf("%s and then %s", first.raw, again.raw)
	}
	a.upload("dispute_evidence", "a.pdf", []byte("%PDF-1.7 two"), "Idempotency-Key", "once").wants(t, http.StatusBadRequest, map[string]any{"error.type": "idempotency_error"})
}

// TestFilesInSnapshots: a snapshot has the files, with their contents.
func TestFilesInSnapshots(t *testing.T) {
	t.Parallel()
	a := bare(t)
	file := a.file("dispute_evidence", "a.pdf", []byte("%PDF-1.7"))
	w := a.control(http.MethodPost, "/_sandbox/snapshots", `{"name":"before"}`)
	if w.status != http.StatusOK {
		t.Fatalf("%d %v", w.status, w.body)
	}
	a.file("dispute_evidence", "b.pdf", []byte("%PDF-1.7 b"))
	if got := a.control(http.MethodPost, "/_sandbox/restore", `{"snapshot":"before"}`); got.status != http.StatusOK {
		t.Fatalf("%d %v", got.status, got.body)
	}
	if got := a.get("/v1/files/"+file.text("id")+"/contents", ""); got.raw != "%PDF-1.7" {
		t.Errorf("the content is %q", got.raw)
	}
	if n := len(ids(a.get("/v1/files", ""))); n != 1 {
		t.Errorf("%d files", n)
	}
}

// FuzzUpload: whatever is sent as a file, the answer is JSON of Stripe's and no failure of the sandbox's own.
func FuzzUpload(f *testing.F) {
	const part = "--b\r\nContent-Disposition: form-data; name="
	f.Add("multipart/form-data; boundary=b", part+"\"purpose\"\r\n\r\ndispute_evidence\r\n"+part+"\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7\r\n--b--")
	f.Add("multipart/form-data; boundary=b", part+"\"file_link_data[create]\"\r\n\r\ntrue\r\n"+part+"\"purpose\"\r\n\r\nbusiness_icon\r\n"+part+"\"file\"; filename=\"a\"\r\n\r\nGIF89a\r\n--b--")
	f.Add("multipart/mixed; boundary=b", part+"\"file\"; filename=\"a\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ\r\n--b--")
	f.Add("multipart/form-data; boundary", "")
	f.Fuzz(func(t *testing.T, kind, body string) {
		s := sandbox.NewServer()
		defer s.Close()
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/files", strings.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		r.Header.Set("Authorization", "Bearer sk_"+"test_fuzz")
		got := httptest.NewRecorder()
		s.ServeHTTP(got, r)
		if got.Code >= 500 && got.Code != http.StatusNotImplemented || !json.Valid(got.Body.Bytes()) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}
