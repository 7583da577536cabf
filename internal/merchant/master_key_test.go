package merchant_test

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/merchant"
)

func open(t *testing.T, path string, create bool) *merchant.Sealer {
	t.Helper()
	s, err := merchant.OpenMasterKey(path, create)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMasterKeyIsMadeOnceAndRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "master.key")
	if _, err := merchant.OpenMasterKey(path, false); err == nil || !strings.Contains(err.Error(), "there is no master key file at "+path) {
		t.Fatalf("an absent file, not to be made, answered %v", err)
	}
	first := open(t, path, true)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v; it must be 0600", info, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("the making left %v", left)
	}
	sealed, err := first.Seal("word", "place")
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []*merchant.Sealer{open(t, path, true), open(t, path, false)} {
		if got, err := again.Open(sealed, "place"); err != nil || got != "word" {
			t.Errorf("read again, the key opened %q, %v", got, err)
		}
	}
	if text := first.String() + first.LogValue().String(); !strings.Contains(text, path) {
		t.Errorf("a sealer prints as %q", text)
	}
}

// Many processes that start together must all end with one key, or what one seals the others cannot open.
func TestMasterKeyIsMadeByOneOfMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	sealers := make([]*merchant.Sealer, 16)
	var all sync.WaitGroup
	for i := range sealers {
		all.Go(func() { sealers[i], _ = merchant.OpenMasterKey(path, true) })
	}
	all.Wait()
	for i, s := range sealers {
		if s == nil {
			t.Fatalf("the %dth could not open the key", i)
		}
		sealed, err := s.Seal("word", "place")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sealers[0].Open(sealed, "place"); err != nil {
			t.Errorf("the %dth has a key of its own", i)
		}
	}
}

func TestMasterKeyFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, err := os.ReadFile(func() string { p := filepath.Join(dir, "good"); open(t, p, true); return p }())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"readable by the group": {string(good), 0o640, "is open to others (mode 0640): chmod 600 it"},
		"readable by all":       {string(good), 0o604, "is open to others (mode 0604): chmod 600 it"},
		"empty":                 {"", 0o600, "holds no keyset"},
		"junk":                  {"not a key", 0o600, "holds no keyset"},
		"cut":                   {string(good[:len(good)/2]), 0o600, "holds no keyset"},
		"another kind of key":   {`{"primaryKeyId":1,"key":[{"keyId":1,"status":"ENABLED","outputPrefixType":"TINK"}]}`, 0o600, "holds no keyset"},
		"endless":               {strings.Repeat(" ", 65<<10), 0o600, "is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			_, err := merchant.OpenMasterKey(path, true)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want one line with the path and %q", err, c.want)
			}
			if kept, _ := os.ReadFile(path); string(kept) != c.content {
				t.Error("a refused file was changed")
			}
		})
	}
	if _, err := merchant.OpenMasterKey(dir, true); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder answered %v", err)
	}
	if _, err := merchant.OpenMasterKey(filepath.Join(dir, "good", "below"), true); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a path through a file answered %v", err)
	}
}

func TestMasterKeyBelongsOutsideTheData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for path, inside := range map[string]bool{
		filepath.Join(dir, "data.key"):               false,
		filepath.Join(dir, "data..key"):              false,
		filepath.Join(data, "master.key"):            true,
		filepath.Join(data, "deeper", "master.key"):  true,
		filepath.Join(data, "..", "elsewhere.key"):   false,
		filepath.Join(data, "..hidden"):              true,
		filepath.Join(link, "not", "there", "a.key"): true,
		data: true,
	} {
		if err := merchant.CheckMasterKeyPath(path, data); (err != nil) != inside {
			t.Errorf("%s beside %s: %v", path, data, err)
		}
	}
}

func TestSealedTextOpensInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	s, other := open(t, filepath.Join(t.TempDir(), "k"), true), open(t, filepath.Join(t.TempDir(), "k"), true)
	const place = "providers|secret_key|m|test|1"
	sealed, err := s.Seal("a secret word", place)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Seal("a secret word", place)
	if err != nil || again == sealed {
		t.Errorf("two sealings are alike: %v", err)
	}
	if strings.Contains(sealed, "secret word") {
		t.Error("the ciphertext holds the plaintext")
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	for name, open := range map[string]func() (string, error){
		"elsewhere": func() (string, error) { return s.Open(sealed, "providers|secret_key|m|live|1") },
		"changed":   func() (string, error) { return s.Open(base64.StdEncoding.EncodeToString(raw), place) },
		"cut":       func() (string, error) { return s.Open(sealed[:8], place) },
		"no base64": func() (string, error) { return s.Open("*", place) },
		"empty":     func() (string, error) { return s.Open("", place) },
		"other key": func() (string, error) { return other.Open(sealed, place) },
	} {
		if got, err := open(); err == nil || got != "" {
			t.Errorf("%s: opened %q", name, got)
		}
	}
}

func TestCanary(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		dir := t.TempDir()
		right := open(t, filepath.Join(dir, "right"), true)
		var all sync.WaitGroup
		for range 8 { // nodes that start together
			all.Go(func() {
				if err := right.CheckCanary(ctx, d); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if err := open(t, filepath.Join(dir, "right"), false).CheckCanary(ctx, d); err != nil {
			t.Errorf("the right key, read again: %v", err)
		}
		path := filepath.Join(dir, "wrong")
		err := open(t, path, true).CheckCanary(ctx, d)
		if err == nil || !strings.Contains(err.Error(), "so a new one was made") || strings.Contains(err.Error(), "\n") {
			t.Errorf("a key made just now for a database of another: %v", err)
		}
		err = open(t, path, false).CheckCanary(ctx, d)
		if err == nil || err.Error() != "the master key file "+path+" is not the one that this database was written with" {
			t.Errorf("the wrong key: %v", err)
		}
		if err := right.CheckCanary(ctx, d); err != nil {
			t.Errorf("after a wrong key was refused, the right one: %v", err)
		}
		d.Close()
		if err := right.CheckCanary(ctx, d); err == nil || strings.Contains(err.Error(), "written with") {
			t.Errorf("a lost database is called a wrong key: %v", err)
		}
	})
}
