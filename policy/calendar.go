package policy

import (
	"math/bits"
	"time"
)

// fields are the bit sets of an expression: which minutes of the hour, hours of
// the day, days of the month (from bit 1), months (from bit 1) and days of the
// week (from bit 0, Sunday) it names. They know civil dates and times only.
type fields struct {
	minute uint64
	hour   uint32
	dom    uint32
	month  uint32
	dow    uint32
	either bool // both day fields are given: a day that is in either counts
}

// The years that are searched: those that RFC 3339 can write, without year 0.
const (
	firstYear = 1
	lastYear  = 9999
)

const minutesPerDay = 24 * 60

// A month is one month of one year, as a search steps through them.
type month struct {
	year, number int
	first        int64 // its first day, counted from 1970-01-01
	length       int
}

// monthOf returns the month with that number, 1 to 12, of year.
func monthOf(year, number int) month {
	return month{year, number, dayNumber(year, number, 1), monthLength(year, number)}
}

// weekday returns the day of the week on which m begins, 0 for Sunday.
func (m month) weekday() int {
	const thursday = 4 // 1970-01-01
	return int(((m.first+thursday)%7 + 7) % 7)
}

// dayNumber counts the days from 1970-01-01.
func dayNumber(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay
}

// monthLength returns the number of days of a month.
func monthLength(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// days returns the days of a month that f names, as bits from 1, given the
// month's length and the day of the week on which it begins.
func (f *fields) days(length, weekday int) uint32 {
	const everySeventh = 1 | 1<<7 | 1<<14 | 1<<21 | 1<<28
	week := (f.dow>>weekday | f.dow<<(7-weekday)) & 0x7f // bit 0: the first of the month
	byWeek := uint32(uint64(week) * everySeventh << 1)
	inMonth := uint32(1<<(length+1) - 2)
	if f.either {
		return (f.dom | byWeek) & inMonth
	}
	return f.dom & byWeek & inMonth
}

// daysOf returns the days of m that f names, none where it does not name m.
func (f *fields) daysOf(m month) uint32 {
	if f.month>>m.number&1 == 0 {
		return 0
	}
	return f.days(m.length, m.weekday())
}

// next returns the first local time at or after local, in seconds, that f
// names, and false where the years end before it.
func (f *fields) next(local int64) (int64, bool) {
	minute := floorDiv(local+59, 60)
	day := floorDiv(minute, minutesPerDay)
	found, ok := f.nextDay(day)
	if !ok {
		return 0, false
	}
	if found == day {
		if at, ok := f.nextTime(int(minute - day*minutesPerDay)); ok {
			return (day*minutesPerDay + int64(at)) * 60, true
		}
		if found, ok = f.nextDay(day + 1); !ok {
			return 0, false
		}
	}
	first, _ := f.nextTime(0)
	return (found*minutesPerDay + int64(first)) * 60, true
}

// prev returns the last local time at or before local, in seconds, that f
// names, and false where the years begin after it.
func (f *fields) prev(local int64) (int64, bool) {
	minute := floorDiv(local, 60)
	day := floorDiv(minute, minutesPerDay)
	found, ok := f.prevDay(day)
	if !ok {
		return 0, false
	}
	if found == day {
		if at, ok := f.prevTime(int(minute - day*minutesPerDay)); ok {
			return (day*minutesPerDay + int64(at)) * 60, true
		}
		if found, ok = f.prevDay(day - 1); !ok {
			return 0, false
		}
	}
	last, _ := f.prevTime(minutesPerDay - 1)
	return (found*minutesPerDay + int64(last)) * 60, true
}

// nextOn is next for those local times alone whose date is one of on, which is
// nil for all.
func (f *fields) nextOn(on *dates, local int64) (int64, bool) {
	local, ok := f.next(local)
	for ok && on != nil {
		day := floorDiv(local, secondsPerDay)
		to, found := on.next(day)
		if !found || to == day {
			return local, found
		}
		local, ok = f.next(to * secondsPerDay)
	}
	return local, ok
}

// prevOn is prev for those local times alone whose date is one of on.
func (f *fields) prevOn(on *dates, local int64) (int64, bool) {
	local, ok := f.prev(local)
	for ok && on != nil {
		day := floorDiv(local, secondsPerDay)
		to, found := on.prev(day)
		if !found || to == day {
			return local, found
		}
		local, ok = f.prev((to+1)*secondsPerDay - 1)
	}
	return local, ok
}

// nextTime returns the first minute of the day at or after minute.
func (f *fields) nextTime(minute int) (int, bool) {
	hour := minute / 60
	if f.hour>>hour&1 == 1 {
		if rest := f.minute >> (minute % 60); rest != 0 {
			return minute + bits.TrailingZeros64(rest), true
		}
	}
	later := f.hour >> (hour + 1) << (hour + 1)
	if later == 0 {
		return 0, false
	}
	return bits.TrailingZeros32(later)*60 + bits.TrailingZeros64(f.minute), true
}

// prevTime returns the last minute of the day at or before minute.
func (f *fields) prevTime(minute int) (int, bool) {
	hour := minute / 60
	if f.hour>>hour&1 == 1 {
		if rest := f.minute & (1<<(minute%60+1) - 1); rest != 0 {
			return hour*60 + bits.Len64(rest) - 1, true
		}
	}
	earlier := f.hour & (1<<hour - 1)
	if earlier == 0 {
		return 0, false
	}
	return (bits.Len32(earlier)-1)*60 + bits.Len64(f.minute) - 1, true
}

// nextDay returns the first day at or after day that f names.
func (f *fields) nextDay(day int64) (int64, bool) {
	year, number, dom := dateOf(day)
	for from := uint32(1) << dom; year <= lastYear; from = 1 {
		m := monthOf(year, number)
		if left := f.daysOf(m) &^ (from - 1); left != 0 {
			return m.first + int64(bits.TrailingZeros32(left)) - 1, true
		}
		if later := f.month >> (number + 1) << (number + 1); later != 0 {
			number = bits.TrailingZeros32(later)
			continue
		}
		year, number = year+1, bits.TrailingZeros32(f.month)
	}
	return 0, false
}

// prevDay returns the last day at or before day that f names.
func (f *fields) prevDay(day int64) (int64, bool) {
	year, number, dom := dateOf(day)
	for upTo := uint32(2)<<dom - 1; year >= firstYear; upTo = ^uint32(0) {
		m := monthOf(year, number)
		if left := f.daysOf(m) & upTo; left != 0 {
			return m.first + int64(bits.Len32(left)) - 2, true
		}
		if earlier := f.month & (1<<number - 1); earlier != 0 {
			number = bits.Len32(earlier) - 1
			continue
		}
		year, number = year-1, bits.Len32(f.month)-1
	}
	return 0, false
}

// dateOf splits a day counted from 1970-01-01 into year, month and day.
func dateOf(day int64) (year, month, dom int) {
	y, m, d := time.Unix(day*secondsPerDay, 0).UTC().Date()
	return y, int(m), d
}

// fires reports whether there is any date that f names.
func (f *fields) fires() bool {
	_, ok := firstMonth(func(m month) bool { return f.daysOf(m) != 0 })
	return ok
}

// firstMonth returns the first month of the calendar of which holds is true,
// where that depends on lengths and weekdays alone. It asks the 28 years from
// 2001 on. A year is common or leap and begins on one of seven weekdays; all
// fourteen kinds occur among these, and so does every pair of neighbouring
// months, since the weekday and the length of one fix the weekday of the next.
// So what is false of all of them is false for ever.
func firstMonth(holds func(month) bool) (month, bool) {
	for year := 2001; year < 2001+28; year++ {
		for number := 1; number <= 12; number++ {
			if m := monthOf(year, number); holds(m) {
				return m, true
			}
		}
	}
	return month{}, false
}

// before returns the month before m.
func (m month) before() month {
	if m.number == 1 {
		return monthOf(m.year-1, 12)
	}
	return monthOf(m.year, m.number-1)
}

// meet returns a date and time that both a and b name, and false where there is
// none in any year.
func meet(a, b *fields) (Civil, bool) {
	minute, hour := a.minute&b.minute, a.hour&b.hour
	if minute == 0 || hour == 0 {
		return Civil{}, false
	}
	m, ok := firstMonth(func(m month) bool { return a.daysOf(m)&b.daysOf(m) != 0 })
	return Civil{
		Year:   m.year,
		Month:  time.Month(m.number),
		Day:    bits.TrailingZeros32(a.daysOf(m) & b.daysOf(m)),
		Hour:   bits.TrailingZeros32(hour),
		Minute: bits.TrailingZeros64(minute),
	}, ok
}

// closest returns the fewest minutes by which a time that f names follows one
// that earlier names, on the same day or the day after, and false where none
// does. Clock changes are left out.
func (f *fields) closest(earlier *fields) (minutes int, ok bool) {
	minutes, ok = f.closestTime(earlier)
	ok = ok && followsBy(0, f, earlier)
	first, _ := f.nextTime(0)
	last, _ := earlier.prevTime(minutesPerDay - 1)
	if across := first + minutesPerDay - last; (!ok || across < minutes) && followsBy(1, f, earlier) {
		return across, true
	}
	return minutes, ok
}

// closestTime is closest for one day on which both run.
func (f *fields) closestTime(earlier *fields) (minutes int, ok bool) {
	for at, found := f.nextTime(0); found && at < minutesPerDay; {
		if at > 0 {
			if before, any := earlier.prevTime(at - 1); any && (!ok || at-before < minutes) {
				minutes, ok = at-before, true
			}
		}
		if at+1 == minutesPerDay {
			break
		}
		at, found = f.nextTime(at + 1)
	}
	return minutes, ok
}

// followsBy reports whether f names a day that comes that many days, 0 or 1,
// after one that earlier names.
func followsBy(days int, f, earlier *fields) bool {
	_, ok := firstMonth(func(m month) bool {
		of := earlier.daysOf(m)
		if days == 1 {
			last := m.before()
			of = of<<1 | earlier.daysOf(last)>>last.length<<1
		}
		return f.daysOf(m)&of != 0
	})
	return ok
}
