package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"curfew/policy"
)

// text is an explanation for people: the sentence, then what it rests on.
func (x *explanation) text(colours palette) string {
	var b strings.Builder
	b.WriteString(x.answer().text + "\n")
	row := func(head, text string) { fmt.Fprintf(&b, "  %-9s %s\n", head, text) }
	who := string(x.member.id)
	if x.member.name != "" {
		who += " " + printable(x.member.name)
	}
	row("asked", fmt.Sprintf("%s at %s, times in %s", who, shownTime(x.at.In(x.file.Location), "Mon 2 Jan 2006 15:04:05"), x.file.Location))
	if x.line == nil {
		row("policy", x.barren+" now")
		x.remembered(row)
		x.history(row)
		return b.String()
	}
	row("wanted", fmt.Sprintf("%s   %s, %s", x.wish(), x.line.policy.Name(), place(x.line.policy.Pos())))
	if pos := x.pos(); pos.Line > 0 {
		why := x.because()
		row("because", strings.TrimSpace(why+"   "+colours.dim(place(pos))))
		row("", x.quote(pos))
	}
	if m := x.member.bar; m != nil && m.kind != barAll {
		row("but", x.protection())
		row("", x.quote(m.pos))
	}
	x.remembered(row)
	x.ahead(&b, colours)
	x.history(row)
	return b.String()
}

// answer is the first line: by the record where there is one.
func (x *explanation) answer() answer {
	switch {
	case x.record == nil:
		return answer{x.verdict(), x.sentence()}
	case x.line == nil:
		return x.unowned()
	}
	return x.byRecord()
}

// sentence is the answer of the file in one true sentence.
func (x *explanation) sentence() string {
	switch x.verdict() {
	case verdictName:
		return "NOT TOUCHED: " + x.member.bar.text + "; the policy wants " + x.wishes() + "."
	case verdictNothing:
		return "NOTHING WANTED: no time of " + x.line.policy.Name() + " lies behind; " + x.firstAhead() + "."
	case verdictUntouched:
		return "LEFT ALONE: nothing is wanted because of " + printable(x.want.Because.Ref) + ", " + x.stretch() + "."
	case verdictProtected:
		return "PROTECTED: it is never stopped; the policy wants " + x.wishes() + "."
	case verdictDryRun:
		return "DRY RUN: no call is made; the policy wants " + x.wishes() + "."
	}
	return "WANTED " + strings.ToUpper(x.want.Want.String()) + ": " + x.stretch() + "."
}

// wish is the power with its time: stopped since 20:00, until Fri 08:00.
func (x *explanation) wish() string {
	if x.want.Want == policy.None {
		return "nothing " + x.stretch()
	}
	return x.want.Want.String() + " " + x.stretch()
}

// wishes is wish as the end of a sentence.
func (x *explanation) wishes() string {
	if x.want.Want == policy.None {
		return x.wish()
	}
	return "it " + x.wish()
}

// stretch is since when, and until when.
func (x *explanation) stretch() string {
	since, until := "always so far", "with no end in sight"
	if x.want.Want == policy.None {
		since = "as no time lies behind"
	}
	if !x.want.Since.IsZero() {
		since = "since " + x.moment(x.want.Since)
	}
	if !x.until.IsZero() {
		until = "until " + x.moment(x.until)
	}
	return since + ", " + until
}

// firstAhead is the first transition that comes.
func (x *explanation) firstAhead() string {
	for _, e := range x.next {
		if e.transition() && e.Cancelled == "" {
			return fmt.Sprintf("the first is a %s on %s", e.Power.Action(), x.moment(e.At))
		}
	}
	return "none is in sight"
}

// nextAhead is the next transition that comes.
func (x *explanation) nextAhead() string {
	for _, e := range x.next {
		if e.transition() && e.Cancelled == "" {
			return fmt.Sprintf("next is the %s of %s", e.Power.Action(), x.moment(e.At))
		}
	}
	return "nothing is in sight"
}

// since is since when something is wanted, empty where it always was.
func (x *explanation) since() string {
	if x.want.Since.IsZero() {
		return ""
	}
	return " since " + x.moment(x.want.Since)
}

// moment is an instant, with what its date and its seconds have that the question
// did not.
func (x *explanation) moment(t time.Time) string {
	t, at := t.In(x.file.Location), x.at.In(x.file.Location)
	layout := "Mon 2 Jan 2006 15:04"
	if t.Year() == at.Year() {
		layout = "Mon 2 Jan 15:04"
	}
	if t.YearDay() == at.YearDay() && t.Year() == at.Year() {
		layout = "15:04"
	}
	if t.Second() != 0 {
		layout += ":05"
	}
	return shownTime(t, layout)
}

// pos is the line that is behind what is wanted.
func (x *explanation) pos() policy.Pos { return x.want.Because.Pos }

// because is the reason in words.
func (x *explanation) because() string {
	if x.made == nil {
		return x.want.Because.Ref // windows without a gap
	}
	if !x.made.transition() {
		return x.made.daysAt()
	}
	return x.made.reason(x.file.Location)
}

// protection is what stands in the way of a stop.
func (x *explanation) protection() string {
	if x.member.bar.kind == barPerhaps {
		return "it is never stopped if " + x.member.bar.text + ": --inventory FILE tells"
	}
	return "it is never stopped: " + x.member.bar.text
}

// quote is a line of the file, cut to what fits. A line that holds a secret is in
// no file that was found right.
func (x *explanation) quote(p policy.Pos) string {
	const most = 80
	lines := bytes.Split(x.file.Text, []byte("\n"))
	if p.Line < 1 || p.Line > len(lines) {
		return ""
	}
	line := []rune(printable(strings.TrimSpace(string(lines[p.Line-1]))))
	if len(line) <= most {
		return "| " + string(line)
	}
	// A file in one line has all of it there: what matters begins at the column.
	from := min(max(p.Col-1-most/4, 0), len(line)-most)
	return "| " + string(line[from:from+most])
}

// mostLost is how many cancelled edges are shown in a row.
const mostLost = 4

// ahead writes what comes next, a line for each.
func (x *explanation) ahead(b *strings.Builder, colours palette) {
	width := 0
	for _, e := range x.next {
		width = max(width, len(x.moment(e.At)))
	}
	head, lost := "next", 0
	for _, e := range x.next {
		action := e.Power.Action()
		if e.Cancelled != "" || !e.transition() {
			action = "-----"
			if lost++; lost > mostLost {
				continue
			}
		} else {
			x.more(b, lost)
			lost = 0
		}
		fmt.Fprintf(b, "  %-9s %-5s %-*s  %s  %s\n", head, action, width, x.moment(e.At), e.because(x.file.Location), colours.dim(place(e.pos())))
		head = ""
	}
	x.more(b, lost)
	if len(x.next) == 0 {
		fmt.Fprintf(b, "  %-9s nothing\n", head)
	}
}

// more says how many cancelled edges were left out.
func (x *explanation) more(b *strings.Builder, lost int) {
	if lost > mostLost {
		fmt.Fprintf(b, "  %-9s ----- and %d more\n", "", lost-mostLost)
	}
}

// explainBody is an explanation in JSON.
type explainBody struct {
	Deployment policy.DeploymentID `json:"deployment"`
	Name       string              `json:"name,omitempty"`
	Policy     string              `json:"policy"`
	At         string              `json:"at"` // RFC 3339, UTC, as all instants
	Verdict    string              `json:"verdict"`
	Sentence   string              `json:"sentence"`
	Wanted     string              `json:"wanted"`          // "running", "stopped" or "none"
	Since      string              `json:"since,omitempty"` // absent: no edge lies behind
	Until      string              `json:"until,omitempty"` // when something else is wanted; absent: never
	Because    string              `json:"because,omitempty"`
	Place      string              `json:"place,omitempty"` // file:line
	Line       string              `json:"line,omitempty"`  // what stands there
	Barred     string              `json:"barred,omitempty"`
	Timezone   string              `json:"timezone"` // of the policy
	Next       []planBody          `json:"next"`
	Record     *recordBody         `json:"record,omitempty"` // only where a ledger was named
}

// body puts an explanation into JSON.
func (x *explanation) body() explainBody {
	first := x.answer()
	b := explainBody{
		Deployment: x.member.id, Name: x.member.name, At: x.at.UTC().Format(time.RFC3339),
		Verdict: first.verdict, Sentence: first.text, Wanted: x.want.Want.String(),
		Since: instantText(x.want.Since), Until: instantText(x.until), Next: []planBody{}, Record: x.recordBody(),
	}
	if x.line == nil {
		return b
	}
	b.Policy, b.Timezone = x.line.policy.Name(), x.line.policy.Zone()
	if x.pos().Line > 0 {
		b.Because, b.Place, b.Line = x.because(), place(x.pos()), strings.TrimPrefix(x.quote(x.pos()), "| ")
	}
	if x.member.bar != nil && x.member.bar.kind != barPerhaps {
		b.Barred = x.member.bar.text
	}
	for _, e := range x.next {
		if e.transition() {
			b.Next = append(b.Next, e.body())
		}
	}
	return b
}

// instantText is RFC 3339 in UTC, empty for none.
func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
