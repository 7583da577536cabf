package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/till-pay/till/sandbox/spec"
)

// Bounds of files, in bytes: of one, and of all that a world takes in.
const (
	maxFile  = 16 << 20
	maxFiles = 512 << 20
)

// maxFilename bounds the name of a file, in bytes; a longer one is cut.
const maxFilename = 255

// filed is the content of a file. It is written once.
type filed struct {
	Content []byte
	All     int64 // bytes of this file and of those before it
}

var files = &resource{
	Object:  "file",
	Path:    "/v1/files",
	Prefix:  "file_",
	Noun:    "file upload",
	Param:   "file",
	Takes:   []string{"file", "file_link_data", "purpose"},
	Private: func() any { return new(filed) },
	Sealed:  true,
	Filters: []string{"purpose"},
	Create:  createFile,
	Made:    announceFile,
}

// purpose is what a file of one purpose may be, and what becomes of it.
type purpose struct {
	kinds []string // of content, as the field type has them; empty is any
	limit int      // bytes
	lives time.Duration
	shut  bool // its content cannot be had back
	links bool // it can have links
}

var (
	documents = []string{"pdf", "jpg", "png"}
	pictures  = []string{"jpg", "png", "gif"}
)

// purposes are what files are uploaded for: docs.stripe.com/file-upload, April 2024, and the parameter file of POST /v1/file_links for
// what can have links. Of the purposes without kinds the limits were not at hand, and the greatest holds.
var purposes = map[string]purpose{
	"account_requirement":          {kinds: documents, limit: maxFile},
	"additional_verification":      {kinds: documents, limit: maxFile},
	"business_icon":                {kinds: pictures, limit: 512 << 10, links: true},
	"business_logo":                {kinds: pictures, limit: 512 << 10, links: true},
	"customer_signature":           {kinds: []string{"jpg", "png", "svg"}, limit: 4 << 20, lives: 7 * 24 * time.Hour, links: true},
	"dispute_evidence":             {kinds: documents, limit: 5 << 20, lives: 270 * 24 * time.Hour, links: true},
	"identity_document":            {kinds: documents, limit: maxFile, shut: true},
	"issuing_regulatory_reporting": {limit: maxFile, links: true},
	"pci_document":                 {limit: maxFile, links: true},
	"platform_terms_of_service":    {limit: maxFile},
	"tax_document_user_upload":     {limit: maxFile, links: true},
	"terminal_android_apk":         {limit: maxFile, links: true},
	"terminal_reader_splashscreen": {limit: maxFile, links: true},
	"terminal_wifi_certificate":    {limit: maxFile},
	"terminal_wifi_private_key":    {limit: maxFile},
}

// mimeTypes are the kinds of content by what Stripe and browsers call them.
var mimeTypes = map[string]string{
	"csv": "text/csv", "gif": "image/gif", "jpg": "image/jpeg", "pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml", "txt": "text/plain",
}

func createFile(c *call, r *record) error {
	if c.upload == nil {
		return invalid("", "file", "Invalid file: a file is sent as multipart/form-data, with a file name.")
	}
	name := c.params.String("purpose")
	of := purposes[name] // Stripe's document has no others
	kind := kindOf(c.upload.content)
	if err := of.check(name, kind, c.upload.content); err != nil {
		return err
	}
	if c.params.Bool("file_link_data", "create") {
		if err := c.checkLink(of, name, c.params.Sub("file_link_data")); err != nil {
			return err
		}
	}
	all := int64(len(c.upload.content))
	if before := c.all("file"); len(before) > 0 {
		all += known[filed](before[len(before)-1]).All
	}
	if all > maxFiles {
		return &apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "rate_limit", message: fmt.Sprintf("This world of the sandbox takes in no more than %d MB of files.", maxFiles>>20)}
	}
	r.hidden = &filed{Content: c.upload.content, All: all}
	o := r.object().Set("filename", filename(c.upload.name)).Set("purpose", name).Set("size", len(c.upload.content)).Set("url", c.base+"/v1/files/"+r.id+"/contents")
	if kind != "" {
		o.Set("type", kind)
	}
	if of.lives > 0 {
		o.Set("expires_at", c.now().Add(of.lives).Unix())
	}
	return nil
}

// filename is the last part of the name that a client gave, cut to its bound.
func filename(given string) string {
	name := strings.ToValidUTF8(given[strings.LastIndexAny(given, `/\`)+1:], "")
	for len(name) > maxFilename {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// check refuses what a purpose does not take.
func (p purpose) check(name, kind string, content []byte) error {
	switch {
	case len(content) == 0:
		return invalid("", "file", "The file is empty.")
	case len(p.kinds) > 0 && !slices.Contains(p.kinds, kind):
		return invalid("", "file", "We don't currently support file type: %s. Try uploading a file with one of the following mimetypes: %s", mimeOf(kind), p.mimes())
	case len(content) > p.limit:
		return invalid("", "file", "The file is too large: files with the purpose %s are limited to %s.", name, size(p.limit))
	}
	return nil
}

func (p purpose) mimes() string {
	all := make([]string, 0, len(p.kinds))
	for _, kind := range p.kinds {
		all = append(all, mimeTypes[kind])
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func mimeOf(kind string) string {
	if known := mimeTypes[kind]; known != "" {
		return known
	}
	return "application/octet-stream"
}

func size(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

func tooLargeFile(limit int64) error {
	return &apiError{status: http.StatusRequestEntityTooLarge, kind: invalidRequest, param: "file", message: "The file is too large: at most " + size(int(limit)) + " are read."}
}

// kindOf is what a file is by its first bytes, whatever its name and its sender say; empty when they are not known.
func kindOf(content []byte) string {
	for _, known := range []struct{ magic, kind string }{
		{"%PDF-", "pdf"}, {"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpg"}, {"GIF87a", "gif"}, {"GIF89a", "gif"},
	} {
		if bytes.HasPrefix(content, []byte(known.magic)) {
			return known.kind
		}
	}
	begin := bytes.TrimSpace(content[:min(len(content), 1024)])
	switch {
	case bytes.HasPrefix(begin, []byte("<svg")), bytes.HasPrefix(begin, []byte("<?xml")) && bytes.Contains(begin, []byte("<svg")):
		return "svg"
	case len(begin) == 0 || !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0:
		return ""
	}
	first, _, _ := bytes.Cut(begin, []byte("\n"))
	if bytes.IndexByte(first, ',') >= 0 {
		return "csv"
	}
	return "txt"
}

// announceFile makes the link that was asked for with the file, and announces both.
func announceFile(c *call, r *record) error {
	if c.params.Bool("file_link_data", "create") {
		link := c.newRecord(kinds["file_link"])
		if given, ok := c.params.Map("file_link_data", "metadata"); ok {
			link.object().Set("metadata", given)
		}
		until := int64(0)
		if c.params.Has("file_link_data", "expires_at") {
			until = c.params.Int("file_link_data", "expires_at")
		}
		c.link(link, r, until)
		c.insert(link)
	}
	showLinks(c, r)
	c.emit("file.created", r)
	return nil
}

// showLinks shows the newest links of a file in it.
func showLinks(c *call, r *record) {
	all := c.having("file_link", "file", r.id)
	data := []*spec.Object{}
	for i := len(all) - 1; i >= 0 && len(data) < defaultLimit; i-- {
		data = append(data, all[i].object().Clone())
	}
	r.object().Set("links", spec.New("list").Set("data", data).Set("has_more", len(all) > defaultLimit).Set("url", "/v1/file_links?file="+r.id))
}
