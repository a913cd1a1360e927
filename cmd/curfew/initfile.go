package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"curfew/apiclient"
	"curfew/internal/config"
)

// A firstFile is what curfew init writes down. Its text is made of lines that are
// sentences and lines of YAML that are commented out, which people take in.
type firstFile struct {
	endpoint       string
	path           string                 // as whoever asks for it calls it; empty where it has no name yet
	zone, zoneFrom string                 // zoneFrom is empty where the machine names no zone
	listed         bool                   // whether the key may list deployments
	deployments    []apiclient.Deployment // what can stand in a file, each once
}

// text is the file. It is read back before anybody gets it: what the platform
// says, and what is in the environment, cannot make it another one.
func (f firstFile) text() (string, error) {
	var b strings.Builder
	f.head(&b)
	f.protect(&b)
	f.policies(&b)
	b.WriteString(`
# What an hour costs, for figures of what was saved. These are what EMQX documents
# for 1,000 sessions; yours are on the bill.
# prices:
#   default: {running: 0.36, stopped: 0.06, currency: USD}
`)
	file, problems := config.Parse("curfew.yaml", []byte(b.String()), config.Env{})
	switch {
	case len(problems) > 0:
		return "", fmt.Errorf("make the file: %w", problems[0])
	case file.Endpoint != f.endpoint || file.Timezone != f.zone || len(file.Policies.Policies) > 0:
		return "", errors.New("make the file: it would say something else than it should: is the endpoint in plain letters?")
	}
	return b.String(), nil
}

func (f firstFile) head(b *strings.Builder) {
	fmt.Fprintf(b, `# yaml-language-server: $schema=./curfew.schema.json
#
# By the line above, editors complete this file and check it as you type, once the
# schema lies beside it: curfew schema > curfew.schema.json
#
# Made by curfew init. No policy is in force yet, so nothing is stopped. What stands
# behind a "#" is for you to take in: take the "# " off its lines, here and there,
# and see what it would do before it does:
#
#   curfew check -c %[2]s
#   curfew plan -c %[2]s --days 7

api:
  endpoint: %[1]s
  # The key is not in this file, and must not be. It comes from the environment,
  # EMQXCLOUD_PLATFORM_API_KEY and EMQXCLOUD_PLATFORM_API_SECRET, or from systemd's
  # credentials emqx-key and emqx-secret, or from files that only curfew can read:
  # key_file: /run/secrets/emqx-key
  # secret_file: /run/secrets/emqx-secret

# The zone of all times below, by its name in the tz database.
`, plainOrQuoted(f.endpoint), f.called())
	if f.zoneFrom == "" {
		fmt.Fprintf(b, "timezone: %s # write yours, such as Europe/Berlin: this machine names none\n", f.zone)
		return
	}
	fmt.Fprintf(b, "timezone: %s # by %s of this machine\n", f.zone, f.zoneFrom)
}

// called is the file as it is typed. A path that cannot stand in a comment is
// called as most files are.
func (f firstFile) called() string {
	const usual = "curfew.yaml"
	if strings.ContainsFunc(f.path, unprintable) {
		return usual
	}
	return shellWord(cmp.Or(f.path, usual))
}

// protect suggests what is never to be stopped.
func (f firstFile) protect(b *strings.Builder) {
	b.WriteString(`
# What is never stopped, whatever a policy says: ids, or names as the console shows
# them, in which "*" stands for any characters.
`)
	likely := slices.DeleteFunc(slices.Clone(f.deployments), func(d apiclient.Deployment) bool { return !production(d.Name) })
	if len(likely) == 0 {
		b.WriteString("# protect: [\"prod*\"]\n")
		return
	}
	b.WriteString("# protect:\n#   - \"prod*\"\n")
	f.items(b, "# ", likely)
}

// policies has examples, with each deployment that does not look like production
// in the first one: an id stands in one policy only.
func (f firstFile) policies(b *strings.Builder) {
	b.WriteString(`
# Which deployments are started and stopped, and when. To begin, take the [] away
# and the "# " off a policy. A deployment stands in one policy only.
policies: []

  # Office hours: they run when people come, and are stopped when people leave. A
  # start is made ten minutes earlier, so that they run at 08:00.
  # - name: office-hours
  #   running: Mon-Fri 08:00-20:00
  #   start_lead: 10m
`)
	others := slices.DeleteFunc(slices.Clone(f.deployments), func(d apiclient.Deployment) bool { return production(d.Name) })
	switch {
	case !f.listed:
		b.WriteString("  #   deployments: [] # their ids: the last part of a deployment's address in the console\n")
	case len(others) == 0:
		b.WriteString("  #   deployments: []\n")
	default:
		b.WriteString("  #   deployments:\n")
		f.items(b, "  #   ", others)
	}
	b.WriteString(`
  # Every night: whatever somebody started during the day is stopped, and stays so
  # until somebody needs it. Move lines from above to here.
  # - name: forgotten-at-night
  #   stop: "0 22 * * *"
  #   deployments: []
`)
}

// items writes deployments as a list behind a prefix, in columns.
func (f firstFile) items(b *strings.Builder, prefix string, all []apiclient.Deployment) {
	width := 0
	for _, d := range all {
		width = max(width, min(len(plainOrQuoted(d.ID)), 24))
	}
	for _, d := range all {
		about := strings.Join(slices.DeleteFunc([]string{
			shownText(d.Name), shownText(d.Status), shownText(d.Type), strings.TrimSpace(shownText(d.Platform) + " " + shownText(d.Region)),
		}, func(s string) bool { return s == "" }), ", ")
		fmt.Fprintf(b, "%s  - %-*s # %s\n", prefix, width, plainOrQuoted(d.ID), about)
	}
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._/:-]*[A-Za-z0-9/_])?$`)
	prodWords = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:prod(?:uction)?|prd|live)(?:$|[^a-z])`)
)

// plainOrQuoted is a text as YAML has it, on one line.
func plainOrQuoted(s string) string {
	if plainText.MatchString(s) && !strings.EqualFold(s, "null") {
		return s
	}
	return strconv.QuoteToASCII(s)
}

// production reports whether a name looks like that of something that must not be
// stopped. It only suggests.
func production(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "prod") || prodWords.MatchString(name)
}

// shownText is a text of the platform that can stand in a comment: one that cannot
// end it, nor do anything to a terminal or the order of its letters.
func shownText(s string) string {
	const most = 60
	shown := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '·'
		}
		return r
	}, s)
	if runes := []rune(shown); len(runes) > most {
		shown = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(shown)
}
