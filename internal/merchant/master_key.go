package merchant

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/db"
)

// Sealer encrypts what must not be readable in a copy of the database. It is safe for use by many goroutines.
type Sealer struct {
	aead tink.AEAD
	path string
	made bool // the file was made by this process, a moment ago
}

// longestKeyFile bounds what is read as a master key: a keyset of a few keys is some hundred bytes.
const longestKeyFile = 64 << 10

// OpenMasterKey reads the master key, a tink keyset in JSON, from a file that only its owner may read. With create, an absent file
// is made with a new key, whole or not at all, so that processes that start together end with the same one. Keep it outside the data
// directory (CheckMasterKeyPath): a copy of the data must not come with its key.
func OpenMasterKey(path string, create bool) (*Sealer, error) {
	made := false
	content, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, absent{path}
		}
		if made, err = makeKeyFile(path); err != nil {
			return nil, fmt.Errorf("cannot make the master key file %s: %w", path, short(err))
		}
		content, err = readKeyFile(path)
	}
	if err != nil {
		return nil, err
	}
	a, err := readKeyset(content)
	if err != nil {
		return nil, fmt.Errorf("the master key file %s holds no keyset that till can use", path) // the reason might quote the key
	}
	return &Sealer{aead: a, path: path, made: made}, nil
}

// absent is that there is no file; it is fs.ErrNotExist.
type absent struct{ path string }

func (a absent) Error() string { return "there is no master key file at " + a.path }

func (absent) Is(target error) bool { return target == fs.ErrNotExist }

// CheckMasterKeyPath refuses a master key inside the data directory.
func CheckMasterKeyPath(path, data string) error {
	file, err := resolve(path)
	if err != nil {
		return err
	}
	dir, err := resolve(data)
	if err != nil {
		return err
	}
	inside, err := filepath.Rel(dir, file)
	if err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return fmt.Errorf("the master key file %s is inside the data directory %s: keep it elsewhere, so that a copy of the data comes without its key", path, data)
	}
	return nil
}

// resolve follows the links of the part of a path that exists.
func resolve(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for at, rest := whole, ""; ; at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest) {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if at == filepath.Dir(at) {
			return whole, nil
		}
	}
}

func readKeyFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the master key file %s: %w", path, short(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the master key file %s: %w", path, short(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the master key file %s is not a file", path)
	}
	if open := info.Mode().Perm(); open&0o077 != 0 {
		return nil, fmt.Errorf("the master key file %s is open to others (mode %04o): chmod 600 it", path, open)
	}
	content, err := io.ReadAll(io.LimitReader(file, longestKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the master key file %s: %w", path, short(err))
	}
	if len(content) > longestKeyFile {
		return nil, fmt.Errorf("the master key file %s is too long to hold a master key", path)
	}
	return content, nil
}

func readKeyset(content []byte) (tink.AEAD, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(content)))
	if err != nil {
		return nil, err
	}
	return aead.New(handle)
}

// makeKeyFile writes a new key beside its place and links it there, which fails where a file has come to be: that one is then the key.
func makeKeyFile(path string) (bool, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return false, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	var draft *os.File
	if err := crash.Step("master key create", func() (err error) {
		draft, err = os.CreateTemp(dir, ".master-key-*") // mode 0600
		return err
	}); err != nil {
		return false, err
	}
	defer os.Remove(draft.Name())
	defer draft.Close()
	if err := crash.Step("master key write", func() error { return insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(draft)) }); err != nil {
		return false, err
	}
	if err := crash.Step("master key sync", draft.Sync); err != nil {
		return false, err
	}
	if err := crash.Step("master key link", func() error { return os.Link(draft.Name(), path) }); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return false, err
	}
	return true, crash.Step("master key folder sync", func() error { return flush(dir) })
}

// flush makes a folder's new entry outlive a power cut: what the key will seal is worth nothing without it.
func flush(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// short is an error of the file system without the path, which our own sentence names.
func short(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}

// Seal encrypts. place says where the ciphertext will stand, "table|column|merchant|mode|generation-or-id": elsewhere it does not open.
func (s *Sealer) Seal(plaintext, place string) (string, error) {
	b, err := s.aead.Encrypt([]byte(plaintext), []byte(place))
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", place, err)
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// Open decrypts what Seal made for the same place.
func (s *Sealer) Open(ciphertext, place string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(ciphertext)
	if err == nil {
		b, err = s.aead.Decrypt(b, []byte(place))
	}
	if err != nil {
		return "", fmt.Errorf("what is kept under %s does not open: it was changed, moved, or sealed with another master key", place)
	}
	return string(b), nil
}

// String keeps the key out of every log.
func (s *Sealer) String() string { return "master key " + s.path }

// LogValue implements slog.LogValuer.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(s.String()) }

const (
	canaryName  = "master_key"
	canaryWord  = "till"
	canaryPlace = "canary|ciphertext|" + canaryName
)

// HasMasterKey says whether the database was written with a master key: only that one opens what is sealed in it.
func HasMasterKey(ctx context.Context, d *db.DB) (bool, error) {
	_, err := findCanary(ctx, d, canaryName)
	if errors.Is(err, db.ErrNone) {
		return false, nil
	}
	return err == nil, err
}

// CheckCanary says whether this is the master key that the database was written with; the first key that a database meets becomes that.
func (s *Sealer) CheckCanary(ctx context.Context, d *db.DB) error {
	sealed, err := s.Seal(canaryWord, canaryPlace)
	if err != nil {
		return err
	}
	if err := d.Write(ctx, plantCanary(canaryName, sealed)); err != nil {
		return err
	}
	kept, err := findCanary(ctx, d, canaryName)
	if err != nil {
		return err
	}
	if word, err := s.Open(kept, canaryPlace); err == nil && word == canaryWord {
		return nil
	}
	if s.made {
		return fmt.Errorf("there was no master key file at %s, so a new one was made; but this database was written with another: put that file in its place", s.path)
	}
	return fmt.Errorf("the master key file %s is not the one that this database was written with", s.path)
}
