// Package config reads curfew's file and says everything that is wrong with it.
//
// It decides what a text means: which keys there are, what their values may be,
// what holds where a key is left out, and at which line and column each thing
// stands. What the policies mean is the business of package policy, to which it
// hands them with positions, time zones and calendars; which dates a text or an
// iCalendar file names is that of internal/calendar. It is the only package that
// knows YAML, and it walks the document's nodes itself, so that unknown keys,
// duplicate keys, merge keys and second documents are found, and so that no
// value is bent on its way: a deployment called 1e5 stays 1e5.
//
// It reports all problems, not the first; each is a policy.Problem with its
// place and what to do about it, and Render shows it with the line and a caret.
// A syntax error is the exception: behind it there is no document to judge.
//
// It never acts on half a file: where there is an error there are no policies.
// An iCalendar file that cannot be read is no such error but a warning: its
// calendar then has fewer days, and the daemon starts.
//
// It never shows a secret: keys have files, the environment or systemd's
// credentials as their places, what stands in the text by mistake is neither
// repeated in a problem nor in a quoted line. And it never looks at the
// environment of its own accord; whoever calls passes a Lookup.
//
// A program that runs goes this way:
//
//	c, problems, err := config.Load(flagFile, os.LookupEnv)
//	if err != nil {
//		return err // there is no file to judge
//	}
//	creds, more := c.Credentials(os.LookupEnv)
//	problems = append(problems, more...)
//	fmt.Fprint(stderr, config.Render(problems, c.Text))
//	if config.Failed(problems) {
//		return errBadFile
//	}
//	// put c in force, and be told when to load again:
//	go config.Watch(ctx, slices.Concat(c.Files(), creds.Files()), reload)
//
// A program that only checks leaves out Credentials: a file is judged without
// them, on a laptop or in a pipeline that has no key.
package config
