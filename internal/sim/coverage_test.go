package sim

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

var (
	countsTo   = flag.String("counts", "", "write what the seeds met to this file, and leave the judgement to TestCoverage")
	countsFrom = flag.String("met", "", "the file whose counts TestCoverage judges")
)

// sometimes counts what the seeds met: a simulation in which something never
// goes wrong proves nothing about it.
type sometimes struct {
	failed atomic.Bool  // some seed did
	shrunk atomic.Int32 // scripts that were made smaller
	mu     sync.Mutex
	counts map[string]int
}

func (m *sometimes) add(k *checker, s *script) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, n := range k.met {
		m.counts[name] += n
	}
	m.counts["seeds"]++
	m.counts["virtual hours"] += int(s.end().Hours())
}

// check fails for what never came up: in a few hundred seeds of what every one of
// them may meet, in thousands of rarer meetings as well.
func (m *sometimes) check(t *testing.T) {
	want := often()
	if m.counts["seeds"] >= longRun {
		want = append(want, rarely()...)
	}
	for _, w := range want {
		if m.counts[w] == 0 {
			t.Errorf("%q never came up in %d seeds", w, m.counts["seeds"])
		}
	}
	t.Log(m)
}

// longRun is how many seeds must have met everything.
const longRun = 5000

// String is the table of what came up.
func (m *sometimes) String() string {
	var b strings.Builder
	for _, name := range sortedKeys(m.counts) {
		fmt.Fprintf(&b, "\n%9d  %s", m.counts[name], name)
	}
	return b.String()
}

// write adds the counts to a file for whoever puts several runs together.
func (m *sometimes) write(t *testing.T, path string) {
	b, err := json.Marshal(m.counts)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCoverage judges what several runs met together: see the command night.
func TestCoverage(t *testing.T) {
	if *countsFrom == "" {
		t.Skip("no -met FILE")
	}
	b, err := os.ReadFile(*countsFrom)
	if err != nil {
		t.Fatal(err)
	}
	m := &sometimes{}
	if err := json.Unmarshal(b, &m.counts); err != nil {
		t.Fatal(err)
	}
	m.check(t)
}

// often is what a few hundred seeds must meet: every kind of fault and of act,
// and the outcomes that are no rarity.
func often() []string {
	want := []string{
		"process died", "drained", "scope learned", "outcome done ", "outcome already ", "outcome superseded ",
		"outcome skipped activation", "outcome skipped changed", "outcome skipped quota",
		"outcome skipped skip", "outcome skipped pause", "outcome skipped untouched", "outcome skipped dry_run",
		"outcome skipped protected", "outcome skipped name", "outcome missed too_close", "outcome missed catch_up",
		"outcome failed unknown", "punctual call",
	}
	for kind := range maps.Keys(deeds()) { // in whatever order
		want = append(want, "act "+kind+" up")
	}
	for _, kind := range simplatform.Kinds() {
		want = append(want, "fault "+kind.String())
	}
	return want
}

// rarely is what thousands of seeds must meet: every outcome with each of its
// reasons, every act whatever state the daemon is in, every fault on a start or
// stop and those that may hit any request in the states of waiting, and every row
// of the table of answers with what may follow it.
func rarely() []string {
	want := []string{"outcome failed not_found", "outcome failed refused", "outcome skipped removed"}
	for kind := range maps.Keys(deeds()) { // in whatever order
		want = append(want, "act "+kind+" down", "act "+kind+" asleep")
	}
	for _, kind := range simplatform.Kinds() {
		want = append(want, fmt.Sprintf("fault %s × in the air", kind))
	}
	for kind, states := range hits() {
		for _, state := range states {
			want = append(want, fmt.Sprintf("fault %s × %s", kind, state))
		}
	}
	for row, next := range map[string][]string{
		"2xx":            {"done", "again", "superseded", "the process died"},
		"2xx unreadable": {"done", "again"},
		"3xx":            {"done", "again"},
		"401":            {"again", "already"},
		"403":            {"again", "already"},
		"404":            {"again", "failed not_found"},
		"422":            {"again", "already", "failed refused"},
		"429":            {"again", "already", "superseded"},
		"5xx":            {"done", "again", "failed unknown"},
		"no answer":      {"done", "again", "failed unknown", "the process died"},
		"not sent":       {"again", "already", "missed catch_up"},
		"recalled":       {"again"},
	} {
		for _, what := range next {
			want = append(want, fmt.Sprintf("answer %s → %s", row, what))
		}
	}
	return want
}

// hits are the kinds of fault that may befall a look, with the states of the
// deployment that each must have hit.
func hits() map[simplatform.Kind][]scheduler.Wait {
	const idle = scheduler.Wait("idle")
	most := []scheduler.Wait{idle, scheduler.WaitUnknown, scheduler.WaitConfirm, scheduler.WaitLook}
	all := map[simplatform.Kind][]scheduler.Wait{simplatform.LostAnswer: most}
	for _, kind := range []simplatform.Kind{
		simplatform.Refused, simplatform.Error, simplatform.Dropped, simplatform.Hang, simplatform.Limited,
		simplatform.NotFound, simplatform.Unauthorized, simplatform.Forbidden, simplatform.Garbage,
	} {
		all[kind] = append(slices.Clone(most), scheduler.WaitTransient)
	}
	for _, kind := range []simplatform.Kind{simplatform.Refused, simplatform.Dropped, simplatform.Garbage} {
		all[kind] = append(all[kind], scheduler.WaitPermit)
	}
	return all
}

// befell counts a fault by the state of the deployment that it hit.
func (k *checker) befell(c scheduler.Call, f simplatform.Kind) {
	k.met["fault "+f.String()]++
	k.met[fmt.Sprintf("fault %s × %s", f, k.stateOf(c))]++
}

// stateOf is what a deployment is about when one of its calls is on its way.
func (k *checker) stateOf(c scheduler.Call) string {
	if c.Method != quota.Get {
		return "in the air"
	}
	if k.m.fleet == nil {
		return "nobody there"
	}
	for _, v := range k.m.fleet.Snapshot(k.m.now()).Deployments {
		if v.Deployment == c.Deployment && v.Wait != scheduler.WaitNone {
			return string(v.Wait)
		}
	}
	return "idle"
}

// rowOf is the row of the design's table of answers that an answer to a start or
// stop belongs to.
func rowOf(a scheduler.Answer) string {
	switch {
	case a.Recalled:
		return "recalled"
	case !a.Sent:
		return "not sent"
	case a.Status == 0:
		return "no answer"
	case a.Status/100 == 2 && !a.Sane:
		return "2xx unreadable"
	case a.Status/100 == 4:
		return fmt.Sprint(a.Status)
	}
	return fmt.Sprintf("%dxx", a.Status/100)
}

// follows counts what came after the answer to a deployment's last start or stop.
func (k *checker) follows(id policy.DeploymentID, what string) {
	if row, ok := k.rowsLast[id]; ok {
		k.met[fmt.Sprintf("answer %s → %s", row, what)]++
		delete(k.rowsLast, id)
	}
}
