package ledger

import (
	"strings"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

// What a trial balance costs grows with what has come since the last close: its period is found first, and the entries by that. SQLite walks through
// the whole history where it may choose.
func TestATrialBalanceReadsItsPeriodAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Name != "sqlite" {
			return
		}
		steps, err := db.All(t.Context(), d, func(r db.Row) (step string, err error) {
			var id, parent, unused int64
			return step, r.Scan(&id, &parent, &unused, &step)
		}, `explain query plan `+chainedSince+` union all `+waitingSince, "m", "test", int64(0), int64(1), int64(0), int64(1))
		plan := strings.Join(steps, "\n")
		if err != nil || strings.Contains(plan, "ledger_account") || !strings.Contains(plan, "ledger_chain_counts (merchant=? AND mode=? AND counts_at>?") ||
			!strings.Contains(plan, "ledger_unchained (merchant=? AND mode=? AND posted_at>?") {
			t.Errorf("%v\n%s", err, plan)
		}
	})
}
