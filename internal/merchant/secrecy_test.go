package merchant_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

// everything is each value of each column of each table, as text: what a copy of the database gives away.
func everything(t testing.TB, d *db.DB) string {
	t.Helper()
	columns := `select table_name, column_name from information_schema.columns where table_schema = 'public' order by 1, 2`
	if d.Name == "sqlite" {
		columns = `select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' order by 1, 2`
	}
	ctx := context.Background()
	all, err := db.All(ctx, d, func(r db.Row) (c [2]string, err error) { return c, r.Scan(&c[0], &c[1]) }, columns)
	if err != nil || len(all) < 50 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	var text strings.Builder
	for _, c := range all {
		values, err := db.All(ctx, d, db.Value[string], fmt.Sprintf(`select cast("%s" as text) from "%s" where "%s" is not null order by 1`, c[1], c[0], c[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			fmt.Fprintf(&text, "%s.%s: %s\n", c[0], c[1], v)
		}
	}
	return text.String()
}

func wantEmpty(t testing.TB, d *db.DB, table string) {
	t.Helper()
	n, err := db.One(context.Background(), d, db.Value[int64], `select count(*) from `+table)
	if err != nil || n != 0 {
		t.Errorf("%d rows of %s were left behind, %v", n, table, err)
	}
}

// No secret may be found in a copy of the database, in the log, or in an answer, except where it is given out.
func TestSecretsAreFoundNowhere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		if err := w.Sealer.CheckCanary(ctx, d); err != nil {
			t.Fatal(err)
		}
		scope, key := w.shop(t, "one", "test")
		world, signing := suffix(), webhookSecret()
		secret, restricted := "sk_test_"+world, "rk_test_"+world
		publishable := "pk_test_" + suffix()
		var said strings.Builder // every answer
		ask := func(as, method, path, body string) answer {
			a := w.ask(t, as, method, path, body)
			said.WriteString(a.text)
			return a
		}
		ask(key, "PUT", providers, body(secret, "webhook_secret", signing, "publishable_key", publishable)).data(t)
		ask(key, "PUT", providers, body(restricted)).data(t)
		other := secretKey()
		ask(key, "PUT", providers, registering(other)).data(t)
		registered, err := w.InboundSecrets(ctx)
		if err != nil || len(registered) != 2 {
			t.Fatalf("%d signing secrets, %v", len(registered), err)
		}
		ask(key, "GET", "/v1/merchant", "").data(t)
		ask(key, "GET", "/v1/config", "").data(t)
		made := w.ask(t, key, "PUT", webhook, listening("https://shop.example.com", false)) // the one answer that holds a secret
		outgoing, _ := made.data(t)["secret"].(string)
		ask(key, "PUT", webhook, listening("https://shop.example.com/2", false)).data(t)

		// What goes wrong must not give anything away either.
		ask(secret, "GET", "/v1/merchant", "")
		ask(key+"x", "GET", "/v1/merchant", "")
		ask(key, "PUT", providers, body(secret, "secret", secret))
		ask(key, "PUT", providers, body("x"+secret, "publishable_key", secret, "webhook_secret", secret))
		ask(key, "PUT", providers, body(strings.Replace(secret, "test", "live", 1)))
		ask(key, "PUT", providers, `{"provider":"`+secret+`","stripe":{"secret_key":"`+secret+`"}}`)
		ask(key, "PUT", providers, `{"provider":"stripe","stripe":"`+secret+`"}`)
		ask(key, "PUT", providers, `{"provider":"stripe","stripe":{"secret_key":"`+secret+`"`)
		ask(key, "PUT", webhook, listening("https://"+secret+"@shop.example.com", false))
		w.Base = stripeThat(t, func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(rw, "%s", r.Header.Get("Authorization"))
		})
		ask(key, "PUT", providers, body(secret))
		if err := d.Write(ctx, db.Change{SQL: `update providers set secret_key = webhook_secret where merchant = $1`, Args: []any{scope.Merchant}, Rows: db.Any}); err != nil {
			t.Fatal(err)
		}
		_, err = w.Client(ctx, scope, 1)
		w.Log.Error("a moved secret", "error", err, "till", w.Sealer, "caller", registered)

		file, err := os.ReadFile(strings.TrimPrefix(w.Sealer.String(), "master key "))
		if err != nil {
			t.Fatal(err)
		}
		kept, log := everything(t, d), w.log.String()
		for _, control := range []string{publishable, scope.Merchant, "https://shop.example.com/2"} { // or the search is blind
			if !strings.Contains(kept, control) {
				t.Fatalf("%s is not found in the database, where it is", control)
			}
		}
		if !strings.Contains(log, `"request failed"`) || !strings.Contains(said.String(), publishable) {
			t.Fatal("the log or the answers are empty")
		}
		material := strings.Split(string(file), `"value":"`)
		if len(material) != 2 {
			t.Fatal("the master key file has another form than this test knows")
		}
		for name, plain := range map[string]string{
			"the API key": key, "its random part": key[len(key)-43:], "the secret key": world, "the second secret key": strings.TrimPrefix(other, "sk_test_"),
			"the signing secret": signing, "the registered secret": registered[1].Secret, "another registered secret": registered[0].Secret,
			"our own signing secret": strings.TrimPrefix(outgoing, "whsec_"), "the master key": material[1][:20],
		} {
			for where, text := range map[string]string{"the database": kept, "the log": log, "an answer": said.String()} {
				if strings.Contains(text, plain) {
					t.Errorf("%s is in %s", name, where)
				}
			}
		}
	})
}
