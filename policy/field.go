package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// A fieldKind is what one of the five fields may hold.
type fieldKind struct {
	name     string
	min, max int
	names    []string // of the values from min on, in upper case
	week     bool     // max stands for min once more: Sunday is 0 and 7
}

func fieldKinds() []fieldKind {
	return []fieldKind{
		{name: "minute", min: 0, max: 59},
		{name: "hour", min: 0, max: 23},
		{name: "day of the month", min: 1, max: 31},
		{name: "month", min: 1, max: 12, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
		{name: "day of the week", min: 0, max: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT"), week: true},
	}
}

// normalise checks a field item by item and returns it in the form that
// robfig's parser reads.
func (k fieldKind) normalise(field word) (string, *ExprError) {
	var out []string
	col := field.col
	for item := range strings.SplitSeq(field.text, ",") {
		text, fault := k.item(word{item, col})
		if fault != nil {
			return "", fault
		}
		out = append(out, text)
		col += len(item) + 1
	}
	return strings.Join(out, ","), nil
}

// item reads "*", "5", "5-7" or "MON-FRI", each with or without "/2".
func (k fieldKind) item(item word) (string, *ExprError) {
	if item.text == "" {
		return "", k.fault(item, "a list has an empty item", "drop the comma")
	}
	base, stepText, stepped := strings.Cut(item.text, "/")
	if !stepped {
		return k.base(word{base, item.col}, 0)
	}
	step, fault := k.step(word{stepText, item.col + len(base) + 1})
	if fault != nil {
		return "", fault
	}
	return k.base(word{base, item.col}, step)
}

// base reads an item without its step, which is 0 where none was given.
func (k fieldKind) base(base word, step int) (string, *ExprError) {
	if base.text == "*" || base.text == "?" {
		return withStep(base.text, step), nil
	}
	if base.text != "" && (base.text[0] == '*' || base.text[0] == '?') {
		return "", k.fault(base, fmt.Sprintf("%q: only a step may follow %q", base.text, base.text[:1]), `as in "*/2"`)
	}
	lowText, highText, ranged := strings.Cut(base.text, "-")
	low, fault := k.value(word{lowText, base.col})
	if fault != nil {
		return "", fault
	}
	if !ranged {
		return k.single(base, low, step)
	}
	high, fault := k.value(word{highText, base.col + len(lowText) + 1})
	if fault != nil {
		return "", fault
	}
	return k.stretch(base, low, high, step)
}

func withStep(base string, step int) string {
	if step == 0 {
		return base
	}
	return base + "/" + strconv.Itoa(step)
}

// single returns an item without a hyphen. With a step it runs from there to
// the end of the field, where 7 for Sunday would mean one thing and 0 another.
func (k fieldKind) single(base word, value, step int) (string, *ExprError) {
	if !k.week || value < k.max {
		return withStep(strconv.Itoa(value), step), nil
	}
	if step > 0 {
		return "", k.fault(base, "a step from day 7 leads past the end of the week", `write "0" for Sundays, "*/2" for every second day`)
	}
	return "0", nil
}

// stretch returns a range. One of weekdays that ends on Sunday is written out,
// since robfig's parser has no day 7.
func (k fieldKind) stretch(base word, low, high, step int) (string, *ExprError) {
	if k.week && high == k.min && low > high {
		high = k.max // FRI-SUN, 5-0
	}
	if low > high {
		return "", k.fault(base, fmt.Sprintf("the range %q runs backwards", base.text), "split it: "+k.wrapped(low, high))
	}
	if !k.week || high < k.max {
		return withStep(fmt.Sprintf("%d-%d", low, high), step), nil
	}
	var days []string
	for day := low; day <= high; day += max(step, 1) {
		days = append(days, strconv.Itoa(day%k.max))
	}
	return strings.Join(days, ","), nil
}

// wrapped suggests two ranges for one that runs past the end of the field.
func (k fieldKind) wrapped(low, high int) string {
	last := k.max
	if k.week {
		last, low = k.max-1, low%k.max
	}
	return fmt.Sprintf("%d-%d,%d-%d", low, last, k.min, high)
}

// step reads what follows the slash.
func (k fieldKind) step(step word) (int, *ExprError) {
	n, ok := number(step.text)
	switch {
	case !ok:
		return 0, k.fault(step, fmt.Sprintf("the step %q is no number", step.text), `as in "*/2"`)
	case n == 0:
		return 0, k.fault(step, "the step is 0", "1 or more")
	}
	return n, nil
}

// value reads a number or a name.
func (k fieldKind) value(v word) (int, *ExprError) {
	if v.text == "" {
		return 0, k.fault(v, "a "+k.name+" is missing", "")
	}
	for i, name := range k.names {
		if strings.EqualFold(v.text, name) {
			return k.min + i, nil
		}
	}
	n, ok := number(v.text)
	if !ok {
		return 0, k.fault(v, fmt.Sprintf("%q is no %s", v.text, k.name), k.nameHint(v.text))
	}
	if n < k.min || n > k.max {
		return 0, k.fault(v, fmt.Sprintf("%s %s is not between %d and %d", k.name, v.text, k.min, k.max), "")
	}
	return n, nil
}

// nameHint helps with names written out and with the signs of other crons.
func (k fieldKind) nameHint(text string) string {
	const others = "L, W, # and H are no part of standard cron"
	if strings.Contains(text, "#") {
		return others
	}
	for _, name := range k.names {
		if len(text) > 3 && strings.EqualFold(text[:3], name) {
			return "write " + name
		}
	}
	if strings.ContainsAny(strings.ToUpper(text), "LWH") {
		return others
	}
	if k.names != nil {
		return fmt.Sprintf("%d to %d, or %s to %s", k.min, k.max, k.names[0], k.names[len(k.names)-1])
	}
	return fmt.Sprintf("%d to %d", k.min, k.max)
}

func (k fieldKind) fault(at word, text, hint string) *ExprError {
	return &ExprError{Col: at.col, Text: text, Hint: hint}
}

// number reads digits alone: strconv would take a sign as well. A long one is
// beyond every field, and is cut so that it cannot overflow.
func number(text string) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	digits := strings.TrimLeft(text, "0")
	if digits == "" {
		return 0, true
	}
	n, err := strconv.Atoi(digits[:min(len(digits), 6)])
	return n, err == nil
}
