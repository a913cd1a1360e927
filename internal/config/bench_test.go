package config

import (
	"bytes"
	"fmt"
	"testing"
)

// large returns a file with n deployments under 200 policies.
func large(n int) []byte {
	var b bytes.Buffer
	b.WriteString("timezone: Europe/Berlin\npolicies:\n")
	for p := range 200 {
		fmt.Fprintf(&b, "  - name: policy-%d\n    start: \"%d 8 * * 1-5\"\n    stop: \"%d 20 * * 1-5\"\n    deployments:\n", p, p%60, p%60)
		for i := p; i < n; i += 200 {
			fmt.Fprintf(&b, "      - d%07x\n", i)
		}
	}
	return b.Bytes()
}

// BenchmarkParse reads a hundred thousand deployments (DESIGN section 10 asks
// for a start-up of all within two seconds).
func BenchmarkParse(b *testing.B) {
	text := large(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		c, problems := Parse("curfew.yaml", text, Env{})
		if len(problems) > 0 || len(c.Policies.Policies) != 200 {
			b.Fatalf("%d policies; %s", len(c.Policies.Policies), Render(problems, text))
		}
	}
}

// BenchmarkRender shows a problem for each of as many deployments.
func BenchmarkRender(b *testing.B) {
	text := bytes.ReplaceAll(large(100_000), []byte("- d"), []byte("- /"))
	_, problems := Parse("curfew.yaml", text, Env{})
	if len(problems) != 100_000 {
		b.Fatalf("%d problems", len(problems))
	}
	for b.Loop() {
		Render(problems, text)
	}
}
