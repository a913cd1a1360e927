package config

import "strings"

// nearest returns the word that was probably meant by got: the one with the
// fewest edits, if those are at most a third of its letters; else "".
func nearest(got string, words []string) string {
	const longest = 64 // nobody mistypes so much
	if len(got) > longest {
		return ""
	}
	fold := strings.NewReplacer("-", "_", " ", "_")
	got = strings.ToLower(fold.Replace(got))
	best, least := "", longest
	for _, w := range words {
		if d := edits(got, strings.ToLower(fold.Replace(w))); d < least && d < len(w) && d <= (len(w)+2)/3 {
			best, least = w, d
		}
	}
	return best
}

// edits counts the characters to insert, remove, replace or swap with their
// neighbour to get from a to b (optimal string alignment).
func edits(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
