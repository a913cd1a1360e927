package picture

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain is a text from outside, fit to be shown: whatever moves, hides or turns
// characters is replaced, and so is what XML cannot hold. A joiner inside a word
// or an emoji stays. Lines are kept where they are asked for.
func plain(s string, lines bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines, r == '\u200c', r == '\u200d':
			return r
		case r == 0xfffe, r == 0xffff, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co):
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// widthOf estimates how wide a text is in a font of that size, in pixels: no font
// is known here. It is meant to be too much rather than too little.
func widthOf(s string, size float64) float64 {
	ems := 0.0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case r < 0x1100:
			ems += 0.58
		default:
			ems++
		}
	}
	return ems * size
}

// cut shortens a text to a width and ends it with an ellipsis where something is
// missing.
func cut(s string, width, size float64) string {
	if widthOf(s, size) <= width {
		return s
	}
	room := width - widthOf("…", size)
	for i, r := range s {
		if room -= widthOf(string(r), size); room < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
