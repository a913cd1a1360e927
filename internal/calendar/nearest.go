package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A word is a code that can be written, and what it stands for.
type word struct {
	code, name string
}

// misnamed are codes that people write for others which look like neither.
var misnamed = map[string]string{"UK": "GB", "EN": "GB", "ENG": "GB", "EL": "GR", "SF": "FI", "JA": "JP", "DA": "DK"}

// choices lists the codes with the likeliest for got first, which stands in
// capitals. The first few have their names.
func choices(got string, words []word, named int) string {
	words = slices.Clone(words)
	if got != "" { // without a word to go by the order of the codes is the best
		got = clip(got, maxName) // nobody mistypes so much
		slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(a.distance(got), b.distance(got)) })
	}
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.code
		if i < named {
			list[i] = fmt.Sprintf("%s (%s)", w.code, w.name)
		}
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// distance tells how far got is from meaning w: 0 for its name, or a beginning
// of it; 1 for a longer code that begins with it, as three letters often do.
func (w word) distance(got string) int {
	name := strings.ToUpper(w.name)
	switch {
	case misnamed[got] == w.code, len(got) > 2 && strings.HasPrefix(name, got):
		return 0
	case strings.HasPrefix(got, w.code):
		return 1
	}
	return 1 + min(edits(got, w.code), edits(got, name))
}

// edits counts the characters to insert, remove or replace on the way from a
// to b.
func edits(a, b string) int {
	to := []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, from := range []rune(a) {
		corner := row[0]
		row[0] = i + 1
		for j, r := range to {
			cost := 1
			if r == from {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, corner+cost)
		}
	}
	return row[len(to)]
}
