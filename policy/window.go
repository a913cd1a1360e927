package policy

import (
	"fmt"
	"strings"
)

const windowForm = `days and two times, as in "Mon-Fri 08:00-20:00"`

// parseWindow reads one window:
//
//	08:00-20:00                daily
//	Mon-Fri 08:00-20:00        on those days
//	Sat-Mon,Thu 10:00-24:00    lists, ranges that wrap, the end of the day
//	Tue 22:00-02:00            overnight: it belongs to Tuesday
//	Mon 06:00-Fri 20:00        one span of days
//
// An error is an *ExprError.
func parseWindow(expr string) (window, error) {
	w, fault := readWindow(expr)
	if fault != nil {
		fault.Expr, fault.noun = expr, "window"
		return window{}, fault
	}
	return w, nil
}

func readWindow(expr string) (window, *ExprError) {
	if len(expr) > maxExpr {
		return window{}, &ExprError{Text: fmt.Sprintf("is %d bytes long, the most is %d", len(expr), maxExpr)}
	}
	tokens, fault := tokensOf(expr)
	if fault != nil {
		return window{}, fault
	}
	if len(tokens) == 0 {
		return window{}, &ExprError{Text: "the window is empty", Hint: windowForm}
	}
	r := windowReader{tokens: tokens, end: len(expr) + 1}
	return r.window()
}

// The kinds of token; the others are the sign itself.
const (
	wordToken = 'a'
	timeToken = '0'
	noToken   = 0
)

// A token is a name, a time or a sign, with the column of its first byte.
type token struct {
	word
	kind byte
}

// tokensOf cuts a window into names, times and signs; blanks only part them.
func tokensOf(expr string) ([]token, *ExprError) {
	var out []token
	for at := 0; at < len(expr); {
		kind := kindOf(expr[at])
		end := at + 1
		for kind == wordToken && end < len(expr) && kindOf(expr[end]) == wordToken || kind == timeToken && end < len(expr) && inTime(expr[end]) {
			end++
		}
		switch kind {
		case noToken:
			return nil, strange(expr, at)
		case ' ':
		default:
			out = append(out, token{word{expr[at:end], at + 1}, kind})
		}
		at = end
	}
	return out, nil
}

func kindOf(c byte) byte {
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		return ' '
	case c == '-' || c == ',':
		return c
	case c >= '0' && c <= '9':
		return timeToken
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return wordToken
	}
	return noToken
}

// inTime reports whether c goes on with a time, or with what somebody may have
// written for one.
func inTime(c byte) bool { return c == ':' || c == '.' || kindOf(c) == timeToken }

// strange refuses a character that no window has.
func strange(expr string, at int) *ExprError {
	var r rune
	for _, r = range expr[at:] {
		break
	}
	fault := &ExprError{Col: at + 1, Text: fmt.Sprintf("%q has no place in a window", r), Hint: windowForm}
	switch {
	case strings.ContainsRune("‐‑‒–—−", r):
		fault.Hint = `write a plain "-"`
	case r == '*' || r == '/':
		fault.Hint = "cron expressions go under start: and stop:"
	case r == ';':
		fault.Hint = `write a list: ["08:00-12:00", "13:00-17:00"]`
	}
	return fault
}

// A windowReader reads tokens in turn.
type windowReader struct {
	tokens []token
	end    int // the column behind the last
}

// peek returns the next token, one without a kind at the end.
func (r *windowReader) peek() token {
	if len(r.tokens) == 0 {
		return token{word: word{col: r.end}}
	}
	return r.tokens[0]
}

// take returns the next token and passes it.
func (r *windowReader) take() token {
	t := r.peek()
	r.tokens = r.tokens[min(1, len(r.tokens)):]
	return t
}

// accept passes the next token if it is of that kind.
func (r *windowReader) accept(kind byte) bool {
	ok := r.peek().kind == kind
	if ok {
		r.take()
	}
	return ok
}

// window reads the whole.
func (r *windowReader) window() (window, *ExprError) {
	days, fault := r.days()
	if fault != nil {
		return window{}, fault
	}
	first := r.peek()
	begin, fault := r.begin()
	if fault != nil {
		return window{}, fault
	}
	if fault := r.hyphen(); fault != nil {
		return window{}, fault
	}
	last, endDay := r.peek(), -1
	if last.kind == wordToken {
		if endDay, fault = r.endDay(days); fault != nil {
			return window{}, fault
		}
	}
	end, fault := r.time()
	if fault != nil {
		return window{}, fault
	}
	if fault := r.nothingMore(); fault != nil {
		return window{}, fault
	}
	return spanned(days, begin, endDay, end, first)
}

// A dayList is the days on which a window begins.
type dayList struct {
	week   uint8
	only   int  // the day, where one alone is given
	listed bool // more than one
}

// days reads the days in front of the times, if there are any.
func (r *windowReader) days() (dayList, *ExprError) {
	if kind := r.peek().kind; kind != wordToken && kind != ',' {
		return dayList{week: 0x7f, listed: true}, nil
	}
	var list dayList
	for {
		first, fault := r.day()
		if fault != nil {
			return list, fault
		}
		last := first
		if r.accept('-') {
			if last, fault = r.day(); fault != nil {
				return list, fault
			}
			list.listed = true
		}
		list.only = first
		for day := first; ; day = (day + 1) % 7 {
			list.week |= 1 << day
			if day == last {
				break
			}
		}
		if !r.accept(',') {
			return list, nil
		}
		list.listed = true
	}
}

// day reads the name of a day, 0 for Sunday.
func (r *windowReader) day() (int, *ExprError) {
	t := r.take()
	switch {
	case t.kind == ',' || t.kind == timeToken:
		return 0, &ExprError{Col: t.col, Text: "a day is missing", Hint: `days are a list, as in "Mon-Wed,Fri"`}
	case t.kind != wordToken:
		return 0, &ExprError{Col: t.col, Text: "a day is missing", Hint: windowForm}
	}
	for day, name := range dayNames() {
		if strings.EqualFold(t.text, name) || strings.EqualFold(t.text, name[:3]) {
			return day, nil
		}
	}
	return 0, &ExprError{Col: t.col, Text: fmt.Sprintf("%q is no day", clip(t.text)), Hint: dayHint(t.text)}
}

func dayNames() []string {
	return strings.Fields("Sunday Monday Tuesday Wednesday Thursday Friday Saturday")
}

// dayHint helps with what people write for days.
func dayHint(text string) string {
	text = strings.ToLower(text)
	switch text {
	case "daily", "everyday", "every", "always", "all":
		return "no days at all means every day"
	case "weekdays", "weekday", "workdays", "workday":
		return "write Mon-Fri"
	case "weekends", "weekend":
		return "write Sat,Sun"
	}
	for _, name := range dayNames() {
		if len(text) >= 2 && strings.HasPrefix(strings.ToLower(name), text[:2]) {
			return "write " + name[:3]
		}
	}
	return "Mon to Sun, or the whole name in English"
}

// endDay reads the day of the end, which only one day of the begin can have.
func (r *windowReader) endDay(days dayList) (int, *ExprError) {
	at := r.peek()
	if fault := at.halfDay(); fault != nil {
		return 0, fault
	}
	day, fault := r.day()
	if fault == nil && days.listed {
		fault = &ExprError{Col: at.col, Text: "a span of days begins on one day", Hint: `as in "Mon 06:00-Fri 20:00"; times of each day are "Mon-Fri 08:00-20:00"`}
	}
	return day, fault
}

func (r *windowReader) hyphen() *ExprError {
	t := r.peek()
	switch {
	case r.accept('-'):
		return nil
	case t.kind == noToken:
		return &ExprError{Col: t.col, Text: "the end is missing", Hint: windowForm}
	}
	return &ExprError{Col: t.col, Text: fmt.Sprintf("%q stands where a hyphen is due", clip(t.text)), Hint: windowForm}
}

// halfDay refuses am and pm.
func (t token) halfDay() *ExprError {
	if !strings.EqualFold(t.text, "am") && !strings.EqualFold(t.text, "pm") {
		return nil
	}
	return &ExprError{Col: t.col, Text: fmt.Sprintf("%q has no place in a window", t.text), Hint: "the clock has 24 hours: 8pm is 20:00"}
}

// nothingMore refuses what follows a window.
func (r *windowReader) nothingMore() *ExprError {
	t := r.peek()
	switch {
	case t.kind == noToken:
		return nil
	case t.kind == ',':
		return &ExprError{Col: t.col, Text: "one text is one window", Hint: `write a list: ["08:00-12:00", "13:00-17:00"]`}
	}
	return &ExprError{Col: t.col, Text: fmt.Sprintf("nothing may follow the end, and %q does", clip(t.text)), Hint: windowForm}
}

// begin reads a time at which a window can begin, in minutes.
func (r *windowReader) begin() (int, *ExprError) {
	t := r.peek()
	minute, fault := r.time()
	if fault == nil && minute == minutesPerDay {
		fault = &ExprError{Col: t.col, Text: "no window begins at 24:00", Hint: "write 00:00 of the next day"}
	}
	return minute, fault
}

// time reads a time of the day, in minutes; 24:00 is its end.
func (r *windowReader) time() (int, *ExprError) {
	t := r.take()
	if fault := r.peek().halfDay(); fault != nil {
		return 0, fault
	}
	switch t.kind {
	case timeToken:
		return t.minutes()
	case wordToken:
		return 0, &ExprError{Col: t.col, Text: fmt.Sprintf("%q stands where a time is due", clip(t.text)), Hint: windowForm}
	}
	return 0, &ExprError{Col: t.col, Text: "a time is missing", Hint: windowForm}
}

// minutes reads hours and minutes.
func (t token) minutes() (int, *ExprError) {
	hourText, minuteText, ok := strings.Cut(t.text, ":")
	hour, isHour := number(hourText)
	minute, isMinute := number(minuteText)
	switch {
	case strings.Count(t.text, ":") > 1:
		return 0, &ExprError{Col: t.col, Text: fmt.Sprintf("%q has seconds", clip(t.text)), Hint: "hours and minutes alone, as in 08:00"}
	case !ok || !isHour || !isMinute || len(hourText) > 2 || len(minuteText) != 2:
		return 0, &ExprError{Col: t.col, Text: fmt.Sprintf("%q is no time", clip(t.text)), Hint: "hours and minutes, as in 08:00"}
	case minute > 59:
		return 0, &ExprError{Col: t.col, Text: fmt.Sprintf("minute %d is not between 0 and 59", minute)}
	case hour == 24 && minute > 0:
		return 0, &ExprError{Col: t.col, Text: t.text + " is no time", Hint: "24:00 ends the day; what is later is of the next, as in 00:30"}
	case hour > 24:
		return 0, &ExprError{Col: t.col, Text: fmt.Sprintf("hour %d is not between 0 and 24", hour), Hint: "24:00 ends the day"}
	}
	return hour*60 + minute, nil
}

// spanned joins days and times, of which the end, where it has a day of its own,
// is on the first such day from the begin on. An end that does not follow its
// begin is of the next day or, with the day of its begin, of the next week.
func spanned(days dayList, begin, endDay, end int, first token) (window, *ExprError) {
	w := window{week: days.week, begin: int64(begin) * 60, closes: end == minutesPerDay}
	apart := 0
	switch {
	case endDay >= 0:
		apart = (endDay - days.only + 7) % 7
		if apart == 0 && end < begin {
			apart = 7
		}
	case end < begin:
		apart = 1
	}
	w.end = int64(apart*minutesPerDay+end) * 60
	switch {
	case w.begin < w.end:
		return w, nil
	case endDay >= 0:
		return w, &ExprError{Col: first.col, Text: "begin and end are the same", Hint: `the whole week is "Mon 00:00-Sun 24:00"`}
	}
	return w, &ExprError{Col: first.col, Text: "begin and end are the same", Hint: "the whole day is 00:00-24:00"}
}
