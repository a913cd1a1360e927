package web

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"curfew/policy"
	"curfew/scheduler"
)

func TestLabel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"dev-eu":          "dev-eu",
		"":                "",
		"München \n\"x\"": "München \n\"x\"",
		"a\xffb\xfe":      `a\xffb\xfe`,
		"\xed\xa0\x80":    `\xed\xa0\x80`, // a surrogate half
		"�":               "�",            // the replacement character itself is valid
	} {
		if got := label(in); got != want {
			t.Errorf("label(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzNames: whatever stands in a name, an id or a policy, the exposition can be
// parsed, and what it says is what was put in.
func FuzzNames(f *testing.F) {
	f.Add("w41b11c0", `say "hi"`, "line\nbreak", "")
	f.Add("\xff\xfe", `back\slash`, "}", "{le=\"1\"} 5\ncurfew_leader 7")
	f.Add("", "\x00", "# TYPE x counter", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢\u2028")
	f.Fuzz(func(t *testing.T, id, name, region, pol string) {
		snap := &scheduler.Snapshot{
			Policies: []scheduler.PolicyView{{Name: pol, Members: 1}},
			Deployments: []scheduler.View{{
				Deployment: policy.DeploymentID(id), Policy: pol, Look: scheduler.Look{Status: region, Name: name, Region: region},
			}},
		}
		d := newDaemon(t, always(snap), PerDeploymentAll, pol)
		d.metrics.Observe([]scheduler.Notice{scheduler.Settled{Outcome: scheduler.Outcome{Policy: pol, Kind: scheduler.Done, Count: 1}}})
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(d.scrape(t)))
		if err != nil {
			t.Fatalf("the exposition does not parse: %v", err)
		}
		info := families["curfew_deployment_info"]
		if info == nil || len(info.Metric) != 1 {
			t.Fatalf("deployment_info: %v, want one series", info)
		}
		got := map[string]string{}
		for _, l := range info.Metric[0].Label {
			got[l.GetName()] = l.GetValue()
		}
		for key, in := range map[string]string{"deployment": id, "name": name, "region": region, "policy": pol} {
			if want := label(in); got[key] != want || utf8.ValidString(in) && want != in {
				t.Errorf("%s: %q was put in, %q came out", key, in, got[key])
			}
		}
	})
}
