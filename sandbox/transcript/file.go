package transcript

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// fileMark is the parameter that is a file, escaped as in a form.
const fileMark = "file=%40"

// begins is how files of a kind begin, by the endings of their names. A file of any other ending is plain text.
var begins = map[string]string{".pdf": "%PDF-1.7\n", ".png": "\x89PNG\r\n\x1a\n", ".jpg": "\xff\xd8\xff\xe0", ".gif": "GIF89a"}

// multiparted is a form with a file as multipart/form-data, and its Content-Type.
func multiparted(form string) (body, kind string) {
	const boundary = "transcript-boundary"
	var b strings.Builder
	for _, pair := range strings.Split(form, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name) // the form was escaped here
		value, _ = url.QueryUnescape(value)
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q", boundary, name)
		if file, ok := strings.CutPrefix(value, "@"); ok && name == "file" {
			fmt.Fprintf(&b, "; filename=%q", file)
			value = begins[path.Ext(file)] + "The content of " + file + "\n"
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", value)
	}
	return b.String() + "--" + boundary + "--\r\n", "multipart/form-data; boundary=" + boundary
}
