package picture

import (
	"math"
	"strconv"
	"testing"
)

// TestContrast holds both schemes to WCAG 2.2: 4.5 to 1 for what is read (1.4.3),
// 3 to 1 for what is looked at (1.4.11), on the ground and on that of a weekend.
func TestContrast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ink   ink
		least float64
	}{
		{words, 4.5}, {faint, 4.5}, {clockwork, 4.5},
		{run, 3}, {stop, 3}, {trouble, 3}, {called, 3}, {missed, 3}, {present, 3},
	} {
		for _, under := range []ink{ground, weekend} {
			light, dark := c.ink.colours()
			underLight, underDark := under.colours()
			for _, pair := range [][2]string{{light, underLight}, {dark, underDark}} {
				if got := contrast(t, pair[0], pair[1]); got < c.least {
					t.Errorf("%s on %s, %s on %s: contrast %.2f, want %.1f", c.ink.name(), under.name(), pair[0], pair[1], got, c.least)
				}
			}
		}
	}
}

// TestSchemesDiffer: a dark tone that was forgotten is the light one.
func TestSchemesDiffer(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i := range inks {
		if light, dark := i.colours(); light == dark || len(light) != 7 || len(dark) != 7 {
			t.Errorf("ink %s is %q in light and %q in dark", i.name(), light, dark)
		}
		if names[i.name()] || i.name() == "" {
			t.Errorf("two inks are called %q", i.name())
		}
		names[i.name()] = true
	}
}

// contrast is the ratio of WCAG 2.2 between two colours.
func contrast(t *testing.T, a, b string) float64 {
	light, dark := luminance(t, a), luminance(t, b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
