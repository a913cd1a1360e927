package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	maxNotice = 300 // characters of a notice: it quotes from the file
	maxKinds  = 50  // different ones
)

// A Notice is something that was left out of a file, cut, or read with a doubt.
type Notice struct {
	Line int    // where, in lines of the file from 1; the first place where there are several
	Text string // what and why, in one line without control characters
}

// notes collects notices. Of one kind the first is kept and the rest are
// counted: a file with ten thousand appointments has one thing to say of them.
type notes struct {
	list  []Notice
	kinds map[string]int // index into list
	count []int
}

// add enters a notice. Its kind is the format, with the reason if there is one:
// the text of an error, up to what that quotes.
func (n *notes) add(line int, format string, args ...any) {
	kind := format
	for _, arg := range args {
		if reason, ok := arg.(error); ok {
			text, _, _ := strings.Cut(reason.Error(), `"`)
			kind += text
		}
	}
	if _, known := n.kinds[kind]; !known && len(n.list) >= maxKinds {
		kind, format, args = "", "other things are left out as well", nil
	}
	if i, known := n.kinds[kind]; known {
		n.count[i]++
		return
	}
	if n.kinds == nil {
		n.kinds = map[string]int{}
	}
	n.kinds[kind] = len(n.list)
	text := clip(oneLine(fmt.Sprintf(format, args...)), maxNotice)
	n.list = append(n.list, Notice{line, text})
	n.count = append(n.count, 1)
}

// all returns the notices in the order of their lines.
func (n *notes) all() []Notice {
	list := slices.Clone(n.list)
	for i := range list {
		if more := n.count[i] - 1; more > 0 {
			list[i].Text += fmt.Sprintf(" (and %d more like it)", more)
		}
	}
	slices.SortStableFunc(list, func(a, b Notice) int { return cmp.Compare(a.Line, b.Line) })
	return list
}
