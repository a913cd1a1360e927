package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"curfew/policy"
)

// maxCount is how many instants one question may ask for, and maxQuestion how
// long it may be, in bytes.
const (
	maxCount    = 1_000_000
	maxQuestion = 64 << 10
)

// answerLines answers the questions of in, one line each, until its end. It
// keeps no more than one line in memory, and whoever waits for an answer before
// the next question gets it.
func answerLines(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, maxQuestion)
	w := bufio.NewWriterSize(out, maxQuestion)
	a := answerer{zones: map[string]*time.Location{}, out: w}
	for {
		line, err := readLine(r)
		if err != nil && len(line) == 0 {
			return errors.Join(readEnd(err), w.Flush())
		}
		a.line(line)
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return fmt.Errorf("write answers: %w", err)
			}
		}
	}
}

// readLine returns the next line without its end, good until the next call. Of
// one that is too long it returns its first maxQuestion bytes. Only with an
// empty line is there an error that counts.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == nil {
		line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
		return line, nil
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
	}
	return line, err
}

func readEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read questions: %w", err)
}

// An answerer answers questions. It loads each zone once.
type answerer struct {
	zones map[string]*time.Location
	out   *bufio.Writer
	text  []byte
}

// line answers one question. Errors of out are found when it is flushed.
func (a *answerer) line(line []byte) {
	if err := a.answer(string(line)); err != nil {
		fmt.Fprintf(a.out, "ERR %s", oneLine(err.Error()))
	}
	a.out.WriteByte('\n')
}

func (a *answerer) answer(line string) error {
	if len(line) >= maxQuestion {
		return fmt.Errorf("the line is longer than %d bytes", maxQuestion-1)
	}
	part := strings.Split(line, "|")
	if len(part) != 4 {
		return errors.New("want zone|cron|from|count")
	}
	loc, err := a.zone(part[0])
	if err != nil {
		return err
	}
	s, err := policy.ParseSchedule(part[1], loc)
	if err != nil {
		return err
	}
	from, err := time.Parse(time.RFC3339, part[2])
	if err != nil {
		return fmt.Errorf("from %q is not RFC 3339, such as 2026-12-24T18:00:00Z", part[2])
	}
	count, err := strconv.Atoi(part[3])
	if err != nil || count < 1 || count > maxCount {
		return fmt.Errorf("count %q is not a number from 1 to %d", part[3], maxCount)
	}
	a.instants(s, from, count)
	return nil
}

// instants writes the next instants of s, or END where it has no more.
func (a *answerer) instants(s *policy.Schedule, at time.Time, count int) {
	for i := range count {
		if i > 0 {
			a.out.WriteByte(' ')
		}
		next, ok := s.Next(at)
		if !ok {
			a.out.WriteString("END")
			return
		}
		a.text = next.UTC().AppendFormat(a.text[:0], time.RFC3339)
		a.out.Write(a.text)
		at = next
	}
}

func (a *answerer) zone(name string) (*time.Location, error) {
	if loc, ok := a.zones[name]; ok {
		return loc, nil
	}
	loc, err := loadZone(name)
	if err == nil {
		a.zones[name] = loc
	}
	return loc, err
}

// oneLine keeps a foreign text from breaking out of its line, or from acting on
// a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '·'
		}
		return r
	}, s)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
