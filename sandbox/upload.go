package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// Bounds of a request that brings a file: of the whole, of a parameter that is no file, in bytes, and of the number of its parts.
const (
	maxUpload      = maxFile + 1<<20
	maxUploadParam = 64 << 10
	maxParts       = 200
)

// upload is a file that came with a request.
type upload struct {
	name    string
	content []byte
}

// uploads says whether a request brings a file: only the one operation takes any.
func uploads(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/v1/files" && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/")
}

// readUpload reads the parts of a request: a file, and parameters as of any other request. In these the file's digest stands for the
// file, so that an idempotency key belongs to the file as well.
func readUpload(r *http.Request) (form string, file *upload, err error) {
	_, given, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || given["boundary"] == "" {
		return "", nil, unreadable("its Content-Type names no boundary")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxUpload+1))
	if err != nil {
		return "", nil, &apiError{status: http.StatusBadRequest, kind: invalidRequest, message: "The request's body could not be read."}
	}
	if len(body) > maxUpload {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // whoever sends it all listens only then
		return "", nil, tooLargeFile(maxFile)
	}
	parts := multipart.NewReader(bytes.NewReader(body), given["boundary"])
	params := []string{}
	if r.URL.RawQuery != "" {
		params = append(params, r.URL.RawQuery)
	}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF {
			return strings.Join(params, "&"), file, nil
		}
		if err != nil || n == maxParts {
			return "", nil, unreadable("it is broken, or has too many parts")
		}
		value, read, err := readPart(part)
		if err != nil {
			return "", nil, err
		}
		if read != nil && file != nil {
			return "", nil, unreadable("it holds more than one file")
		}
		if read != nil {
			file = read
		}
		params = append(params, url.QueryEscape(part.FormName())+"="+url.QueryEscape(value))
	}
}

// readPart reads a parameter, or the file and what stands for it.
func readPart(part *multipart.Part) (value string, file *upload, err error) {
	named := part.FileName() != ""
	limit := int64(maxUploadParam)
	if named {
		limit = maxFile
	}
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	switch {
	case err != nil:
		return "", nil, unreadable("it ends in the middle of a part")
	case int64(len(content)) > limit && named:
		return "", nil, tooLargeFile(limit)
	case int64(len(content)) > limit:
		return "", nil, unreadable("a parameter is too long")
	case !named:
		return string(content), nil, nil
	case part.FormName() != "file":
		return "", nil, invalid("parameter_unknown", part.FormName(), "Received unknown parameter: %s", part.FormName())
	}
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:]), &upload{name: part.FileName(), content: content}, nil
}

func unreadable(why string) error {
	return &apiError{status: http.StatusBadRequest, kind: invalidRequest, message: "The request's body cannot be read as multipart/form-data: " + why + "."}
}
