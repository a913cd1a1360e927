package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
)

// A maker makes up the script of a seed.
type maker struct {
	*rand.Rand
	*script
	zone string
	ids  []policy.DeploymentID
	now  text // the file as it was last edited
	near []time.Duration
}

// A place is a beginning near what a clock does.
type place struct{ zone, day string }

// places are beginnings near what clocks do, and some where they do nothing.
func places() []place {
	return []place{
		{"Europe/Berlin", "2026-03-28"},       // 02:00 → 03:00 on Sunday
		{"Europe/Berlin", "2026-10-24"},       // 03:00 → 02:00
		{"America/New_York", "2026-03-07"},    // 02:00 → 03:00
		{"America/New_York", "2026-10-31"},    // 02:00 → 01:00, on the 1st
		{"Australia/Lord_Howe", "2026-10-03"}, // half an hour forward
		{"Australia/Lord_Howe", "2026-04-04"}, // and back
		{"America/Santiago", "2026-09-05"},    // midnight is skipped
		{"Africa/Cairo", "2026-10-29"},        // midnight comes twice
		{"Antarctica/Troll", "2026-03-28"},    // 01:00 → 03:00
		{"Antarctica/Troll", "2026-10-24"},    // and back
		{"Australia/Sydney", "2028-09-30"},    // a gap on the 1st of a month
		{"Asia/Almaty", "2024-02-29"},         // the rules changed: an hour back at midnight, for good
		{"America/Mexico_City", "2022-10-29"}, // back, for good
		{"Africa/Cairo", "2023-04-27"},        // midnight is skipped, for the first time in years
		{"Africa/Casablanca", "2026-02-14"},   // back for Ramadan
		{"UTC", "2026-02-27"},
		{"Asia/Kolkata", "2026-12-31"},
	}
}

// newScript makes up the script of a seed.
func newScript(seed uint64) *script {
	m := &maker{Rand: dice(seed, "script"), script: &script{Seed: seed}}
	p := pick(m, places()...)
	day, err := time.Parse(time.DateOnly, p.day)
	if err != nil {
		panic(err)
	}
	m.zone = p.zone
	m.From = day.Add(m.upTo(24 * time.Hour).Truncate(time.Second))
	m.Days = 1 + m.IntN(3)
	for i := range 1 + m.IntN(4) {
		m.ids = append(m.ids, policy.DeploymentID(fmt.Sprintf("d%d", i+1)))
	}
	m.Calm = m.chance(0.06)
	m.file()
	m.quotas()
	m.Look = span(5+m.IntN(20)) * span(time.Minute)
	m.List = m.chance(0.3)
	m.platform()
	switch {
	case m.Calm:
		m.hangs()
	case m.chance(0.008):
		m.year()
	default:
		m.trouble()
		m.happenings()
	}
	return m.script
}

func (m *maker) upTo(d time.Duration) time.Duration { return time.Duration(m.Int64N(int64(d))) }

func (m *maker) chance(p float64) bool { return m.Float64() < p }

func pick[T any](m *maker, of ...T) T { return of[m.IntN(len(of))] }

func (m *maker) id() policy.DeploymentID { return pick(m, m.ids...) }

// file makes up the first file, and finds the instants near its edges.
func (m *maker) file() {
	for {
		m.File = m.text()
		set, _, err := m.File.compile()
		if err != nil {
			continue // such as a start and a stop at one time
		}
		m.now = m.File.clone()
		for _, p := range set.Policies {
			for e := range p.Edges(m.From.Add(time.Minute), m.From.Add(m.troubled()-time.Minute)) {
				m.near = append(m.near, e.At.Sub(m.From))
			}
		}
		return
	}
}

// text deals the deployments out to one or two policies.
func (m *maker) text() text {
	x := text{Calendars: map[string][]string{}}
	for _, name := range []string{"holidays", "freeze", "summer", "launch"} {
		x.Calendars[name] = m.dates()
	}
	for i := range 1 + m.IntN(2) {
		x.Policies = append(x.Policies, m.policy(fmt.Sprintf("p%d", i+1)))
	}
	for _, id := range m.ids {
		p := &x.Policies[m.IntN(len(x.Policies))]
		p.Members = append(p.Members, m.member(id))
	}
	x.Policies = slices.DeleteFunc(x.Policies, func(l lines) bool { return len(l.Members) == 0 })
	if m.chance(0.1) {
		x.Protect = []string{string(m.id())}
	}
	return x
}

// member names a deployment in a file, at times with its name, right or wrong.
func (m *maker) member(id policy.DeploymentID) string {
	switch {
	case m.chance(0.1):
		return fmt.Sprintf("%s called %s", id, nameOf(id))
	case m.chance(0.04):
		return fmt.Sprintf("%s called somebody-else", id)
	}
	return string(id)
}

// dates are some days around the script's.
func (m *maker) dates() []string {
	var out []string
	for range m.IntN(3) {
		first := m.From.AddDate(0, 0, m.IntN(m.Days+4)-2)
		for n := range pick(m, 1, 1, 1, 2, 3) {
			out = append(out, first.AddDate(0, 0, n).Format(time.DateOnly))
		}
	}
	return out
}

// policy makes up a policy without deployments.
func (m *maker) policy(name string) lines {
	p := lines{Name: name, Zone: m.zone}
	if m.chance(0.3) {
		p.Zone = pick(m, places()...).zone
	}
	if m.chance(0.4) {
		m.windows(&p)
	} else {
		m.times(&p)
	}
	if m.chance(0.35) {
		m.except(&p)
	}
	m.options(&p)
	return p
}

// except gives calendars effects, several in an order.
func (m *maker) except(p *lines) {
	p.Except = nil
	names := []string{"holidays", "freeze", "summer", "launch"}
	m.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:1+m.IntN(3)] {
		p.Except = append(p.Except, name+": "+pick(m, "off", "off", "stopped", "running", "untouched", "untouched"))
	}
}

// windows gives a policy windows: by day, overnight, over days, in lists, several.
func (m *maker) windows(p *lines) {
	p.Start, p.Stop, p.Running = nil, nil, nil
	for range pick(m, 1, 1, 2, 3) {
		from, to := m.minute(), m.minute()
		if from == to {
			to = "24:00"
		}
		a, b := m.IntN(7), m.IntN(7)
		day := func(n int) string { return time.Weekday(n).String()[:3] }
		switch m.IntN(6) {
		case 0:
			p.Running = append(p.Running, fmt.Sprintf("%s-%s %s-%s", day(a), day(b), from, to))
		case 1:
			p.Running = append(p.Running, fmt.Sprintf("%s,%s %s-%s", day(a), day(b), from, to))
		case 2:
			p.Running = append(p.Running, fmt.Sprintf("%s %s-%s %s", day(a), from, day(a + 1 + m.IntN(4))[:3], to))
		default:
			p.Running = append(p.Running, from+"-"+to)
		}
	}
}

// minute is a time of the day, often one near a change of clocks.
func (m *maker) minute() string {
	hour := m.IntN(24)
	if m.chance(0.4) {
		hour = m.IntN(5)
	}
	return fmt.Sprintf("%02d:%02d", hour, pick(m, 0, 0, 15, 30, 45, m.IntN(60)))
}

// times gives a policy lines of cron. Minutes near a change of the clocks come up
// often.
func (m *maker) times(p *lines) {
	p.Start, p.Stop, p.Running = nil, nil, nil
	days := pick(m, "*", "*", "*", "1-5", "0,6", "*/2")
	hour := m.IntN(24)
	if m.chance(0.4) {
		hour = m.IntN(4)
	}
	line := func(minute, hour int) []string {
		switch m.IntN(8) {
		case 0:
			return []string{fmt.Sprintf("%d %d,%d * * %s", minute, hour%24, (hour+12)%24, days)}
		case 1:
			return []string{fmt.Sprintf("%d */%d * * %s", minute, 3+m.IntN(5), days)}
		}
		return []string{fmt.Sprintf("%d %d * * %s", minute, hour%24, days)}
	}
	minute, gap := m.IntN(30), 1+m.IntN(11)
	switch m.IntN(6) {
	case 0:
		p.Stop = line(minute, hour)
	case 1:
		p.Start = line(minute, hour)
	default:
		p.Stop, p.Start = line(minute, hour), line(minute+1+m.IntN(29), hour+gap)
	}
}

func (m *maker) options(p *lines) {
	p.Lead, p.CatchUp, p.Confirm, p.MinSpan, p.Enforce = 0, 0, 0, 0, 0
	minutes := func(least, more int) span { return span(least+m.IntN(more)) * span(time.Minute) }
	if m.chance(0.3) {
		p.Lead = span(pick(m, 1, 5, 10, 10, 30, 90)) * span(time.Minute)
	}
	if m.chance(0.3) {
		p.CatchUp = minutes(1, 6) * 60
	}
	if m.chance(0.3) {
		p.Confirm = minutes(10, 40)
	}
	if m.chance(0.3) {
		p.MinSpan = minutes(1, 60)
	}
	if m.chance(0.3) && (len(p.Running) > 0 || len(p.Start) > 0 && len(p.Stop) > 0) {
		p.Enforce = policy.Enforce(1 + m.IntN(3))
	}
	p.Converge, p.DryRun = m.chance(0.2), m.chance(0.06)
}

// quotas makes up what the platform counts and what the file says of it.
func (m *maker) quotas() {
	scope, platform := quota.Auto, simplatform.PerDeployment
	if m.chance(0.5) && !m.Calm {
		platform = simplatform.PerKey
	}
	window := simplatform.Sliding
	if m.chance(0.5) || m.Calm { // the file says which it is
		scope = quota.Deployment
		if platform == simplatform.PerKey {
			scope = quota.Key
		}
		window = simplatform.Window(m.IntN(3))
	}
	per := pick(m, time.Hour, time.Hour, 20*time.Minute, 3*time.Hour)
	for i, n := range [...]int{60, 1 + m.IntN(3), 1 + m.IntN(3)} {
		lim := limit{N: n, Per: span(per), Scope: scope, Platform: platform, Window: window, Free: m.chance(0.2)}
		if quota.Method(i) == quota.Get {
			lim.Per = span(time.Hour)
		}
		m.Limits[i] = lim
	}
}

// platform makes up how the platform is on good days.
func (m *maker) platform() {
	m.Retry = retry{Style: simplatform.RetryStyle(m.IntN(4))}
	if m.chance(0.3) {
		m.Retry.After = span(pick(m, -time.Hour, time.Second, 90*time.Minute, 4000*time.Hour))
	}
	for _, id := range m.ids {
		d := device{ID: id, Boot: span(10*time.Second + m.upTo(10*time.Minute)), Halt: span(5*time.Second + m.upTo(5*time.Minute))}
		if m.chance(0.1) && !m.Calm {
			d.Boot = span(m.upTo(80 * time.Minute))
		}
		if m.chance(0.2) {
			d.Pending = span(m.upTo(time.Minute))
		}
		if m.chance(0.2) && !m.Calm {
			d.Lag = span(m.upTo(2 * time.Minute))
		}
		m.Fleet = append(m.Fleet, d)
	}
	m.Fast = m.Int64N(1600) - 800
}

// trouble makes up which faults the platform has, and how slow things are.
func (m *maker) trouble() {
	if m.chance(0.3) {
		m.Pause = 0.02
	}
	if m.chance(0.4) { // less than a thirtieth of the window, and of what looks wait for
		m.Held = min(m.Limits[quota.Stop].Per, m.Limits[quota.Get].Per) / 40
	}
	kinds := simplatform.Kinds()
	for range m.IntN(4) {
		m.Faults = append(m.Faults, m.fault(pick(m, kinds...)))
	}
}

// hangs gives a calm script at times one deployment whose calls hang: no other's
// may suffer from it.
func (m *maker) hangs() {
	if m.chance(0.5) && len(m.ids) > 1 {
		m.Faults = append(m.Faults, fault{Kind: simplatform.Hang.String(), Methods: simplatform.AnyMethod, Target: m.ids[0], For: span(time.Minute)})
	}
}

func (m *maker) fault(k simplatform.Kind) fault {
	f := fault{Kind: k.String(), Methods: simplatform.Posts, P: 0.05 + 0.5*m.Float64()}
	if m.chance(0.3) && k != simplatform.Late && k != simplatform.Stuck && k != simplatform.RollBack && k != simplatform.Fails {
		f.Methods, f.P = simplatform.AnyMethod, f.P/4
	}
	switch k {
	case simplatform.Late:
		f.For = span(time.Second + m.upTo(2*time.Minute))
	case simplatform.Slow, simplatform.Hang, simplatform.HangDropped:
		f.For = span(time.Second + m.upTo(time.Minute))
	case simplatform.Error, simplatform.ErrorApplied:
		f.Code = 500 + m.IntN(5)
	case simplatform.Limited:
		f.Retry = retry{simplatform.RetryStyle(m.IntN(4)), span(m.upTo(3*time.Hour) - time.Hour)}
	}
	return f
}

// year makes up a process that is away for a year.
func (m *maker) year() {
	m.Days = 366
	m.Acts = []act{{At: span(m.upTo(20 * time.Hour)), Kind: "kill", For: span(365*24*time.Hour) - span(m.upTo(24*time.Hour))}}
	m.Look = span(30 * time.Minute)
}

// A kind is a kind of act and what makes one up.
type kind struct {
	name string
	make func() act
}

func (m *maker) kinds() []kind {
	return []kind{
		{"kill", m.kill}, {"kill", m.kill}, {"term", m.term}, {"crashloop", m.crashLoop}, {"diskfull", m.diskFull},
		{"reboot", m.reboot}, {"suspend", m.suspend}, {"freeze", m.freeze}, {"step", m.step}, {"skew", m.skew},
		{"reload", m.reload}, {"reload", m.reload}, {"reload", m.reload}, {"order", m.order}, {"order", m.order},
		{"person", m.person}, {"person", m.person}, {"rename", m.rename}, {"foreign", m.foreign}, {"key", m.key}, {"outage", m.outage},
	}
}

// happenings makes up what befalls the host, the file, the key and the
// deployments, and what people do. A seed has some of the kinds, not all: what
// goes wrong together is rare.
func (m *maker) happenings() {
	kinds := m.kinds()
	m.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	kinds = kinds[:m.IntN(7)]
	if len(kinds) == 0 {
		return
	}
	var at []time.Duration
	for range m.IntN(14) {
		at = append(at, m.instant())
	}
	slices.Sort(at)
	for _, at := range at {
		a := pick(m, kinds...).make()
		a.At = span(at)
		m.Acts = append(m.Acts, a)
		for a.Kind == "reload" && m.chance(0.2) { // a storm
			at += m.upTo(300 * time.Millisecond)
			a = m.reload()
			a.At = span(at)
			m.Acts = append(m.Acts, a)
		}
	}
	slices.SortStableFunc(m.Acts, func(a, b act) int { return int(min(1, max(-1, a.At-b.At))) })
}

// instant is some time of the run; mostly one near an edge, where it hurts.
func (m *maker) instant() time.Duration {
	if len(m.near) == 0 || m.chance(0.4) {
		return m.upTo(m.troubled())
	}
	at := pick(m, m.near...)
	switch m.IntN(5) {
	case 0:
		return at + m.upTo(2*time.Second)
	case 4: // while claims are on their way to the disk
		return at + m.upTo(8*time.Millisecond)
	case 1:
		return max(0, at-m.upTo(20*time.Second))
	}
	return at + m.upTo(15*time.Minute)
}

func (m *maker) kill() act {
	a := act{Kind: "kill", For: span(time.Second + m.upTo(10*time.Second))}
	if m.chance(0.3) {
		a.For = span(m.upTo(8 * time.Hour))
	}
	if m.chance(0.5) {
		a.Word = "reached"
	}
	return a
}

func (m *maker) term() act {
	a := act{Kind: "term", For: span(m.upTo(5 * time.Second))}
	if m.chance(0.3) {
		a.For = span(m.upTo(3 * time.Hour))
	}
	return a
}

func (m *maker) crashLoop() act {
	every := pick(m, 50*time.Millisecond, time.Second, 5*time.Second, 30*time.Second)
	return act{Kind: "crashloop", For: span(every * time.Duration(2+m.IntN(40))), Every: span(every)}
}

func (m *maker) diskFull() act { return act{Kind: "diskfull", For: span(m.upTo(2 * time.Hour))} }

func (m *maker) outage() act { return act{Kind: "outage", For: span(m.upTo(4 * time.Hour))} }

func (m *maker) reboot() act {
	a := act{Kind: "reboot", For: span(10*time.Second + m.upTo(30*time.Minute))}
	switch {
	case m.chance(0.15):
		a.Word = "1970"
	case m.chance(0.4):
		a.By = span(m.upTo(4*time.Hour) - 2*time.Hour)
	}
	return a
}

func (m *maker) suspend() act { return act{Kind: "suspend", For: span(m.upTo(3 * time.Hour))} }

func (m *maker) freeze() act {
	return act{Kind: "freeze", For: span(m.upTo(pick(m, time.Second, 30*time.Second, 5*time.Minute)))}
}

func (m *maker) step() act {
	by := pick(m, time.Second, 90*time.Second, 10*time.Minute, 59*time.Minute, 61*time.Minute,
		2*time.Hour+59*time.Minute, 3*time.Hour+time.Minute, 26*time.Hour, 5*365*24*time.Hour)
	if m.chance(0.5) {
		by = -by
	}
	return act{Kind: "step", By: span(by), For: span(5*time.Minute + m.upTo(time.Hour))}
}

func (m *maker) skew() act {
	return act{Kind: "skew", By: span(m.upTo(10*time.Minute) - 5*time.Minute)}
}

func (m *maker) order() act {
	return act{
		Kind: "order", Do: pick(m, "hold", "hold", "skip", "skip", "pause", "release", "converge"), ID: m.id(),
		Power: policy.Power(1 + m.IntN(2)), Count: 1 + m.IntN(2), For: span(time.Minute + m.upTo(9*time.Hour).Truncate(time.Second)),
	}
}

func (m *maker) person() act {
	a := act{Kind: "person", ID: m.id(), Do: pick(m, "start", "stop")}
	switch m.IntN(8) {
	case 0:
		a.Do, a.For = "delete", span(m.upTo(2*time.Hour))
	case 1:
		a.Do, a.Word, a.For = "status", pick(m, "upgrading", "failed", "pending"), span(m.upTo(2*time.Hour))
	}
	return a
}

func (m *maker) rename() act {
	id := m.id()
	return act{Kind: "rename", ID: id, Word: pick(m, nameOf(id), "somebody-else", "renamed")}
}

func (m *maker) foreign() act {
	a := act{Kind: "foreign", ID: m.id(), Do: pick(m, "get", "start", "stop", "start", "stop")}
	if m.chance(0.5) {
		a.Every = span(10*time.Second + m.upTo(10*time.Minute))
		a.Count = 1 + m.IntN(100)
	}
	return a
}

func (m *maker) key() act {
	return act{Kind: "key", Do: pick(m, "revoked", "revoked", "outside"), For: span(m.upTo(2 * time.Hour))}
}

// reload makes up a change of the file as it stands by then. What would be
// refused changes nothing, as with the daemon.
func (m *maker) reload() act {
	x := m.now.clone()
	var words []string
	for range pick(m, 1, 1, 1, 2, 3) {
		words = append(words, m.edit(&x))
	}
	if _, _, err := x.compile(); err != nil {
		x, words = m.now.clone(), []string{"refused"}
	}
	m.now = x
	file := x.clone()
	return act{Kind: "reload", Word: strings.Join(words, ", "), File: &file}
}

// edit changes a file in one way, and says in which.
func (m *maker) edit(x *text) string {
	if len(x.Policies) == 0 || m.chance(0.15) {
		*x = m.File.clone()
		return "as at first"
	}
	p := &x.Policies[m.IntN(len(x.Policies))]
	switch m.IntN(15) {
	case 0:
		m.times(p)
		return "other times"
	case 1:
		m.windows(p)
		return "other windows"
	case 2:
		p.Name = "renamed-" + p.Name
		return "another name"
	case 3:
		slices.Reverse(x.Policies)
		return "another order"
	case 4, 9:
		p.Members = p.Members[:len(p.Members)-1]
		x.Policies = slices.DeleteFunc(x.Policies, func(l lines) bool { return len(l.Members) == 0 })
		return "one is gone"
	case 5:
		p.Zone = pick(m, places()...).zone
		return "another zone"
	case 6:
		m.except(p)
		return "other exceptions"
	case 7:
		x.Calendars[pick(m, "holidays", "freeze", "summer", "launch")] = m.dates()
		return "other dates"
	case 8:
		m.options(p)
		return "other settings"
	}
	return m.editMore(x, p)
}

func (m *maker) editMore(x *text, p *lines) string {
	switch m.IntN(5) {
	case 0:
		x.Protect = nil
		if m.chance(0.7) {
			x.Protect = []string{string(m.id())}
		}
		return "other protection"
	case 1:
		p.DryRun = !p.DryRun
		return "dry run"
	case 2: // new data of a zone, under its old name
		if x.Zones == nil {
			x.Zones = map[string]string{}
		}
		x.Zones[p.Zone] = pick(m, "Africa/Algiers", "America/Phoenix", "Asia/Tokyo", p.Zone, pick(m, places()...).zone)
		return "new rules of " + p.Zone
	case 3:
		i := m.IntN(len(p.Members))
		id, _, _ := strings.Cut(p.Members[i], " ")
		p.Members[i] = m.member(policy.DeploymentID(id))
		return "another assertion"
	}
	q := &x.Policies[m.IntN(len(x.Policies))]
	id := p.Members[0]
	p.Members = p.Members[1:]
	q.Members = append(q.Members, id)
	x.Policies = slices.DeleteFunc(x.Policies, func(l lines) bool { return len(l.Members) == 0 })
	return "one moves"
}
