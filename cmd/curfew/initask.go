package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"curfew/internal/config"
	"curfew/policy"
)

const (
	keyVariable      = "EMQXCLOUD_PLATFORM_API_KEY"
	secretVariable   = "EMQXCLOUD_PLATFORM_API_SECRET"
	endpointVariable = "EMQXCLOUD_PLATFORM_ENDPOINT"
)

// findAccount finds the account where the daemon would: in the environment, or in
// systemd's credentials. What is not there a person is asked for, if there is one.
func findAccount(ctx context.Context, c *console) (*account, error) {
	a := &account{typed: map[string]string{}}
	a.env = func(name string) (string, bool) {
		if value, ok := a.typed[name]; ok {
			return value, true
		}
		return c.env(name)
	}
	if err := a.setEndpoint(); err != nil {
		return nil, err
	}
	missing := a.missing()
	if len(missing) == 0 {
		return a, nil
	}
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, fmt.Errorf("there is no API key: set %s and %s, or run curfew init on a terminal, where it asks", keyVariable, secretVariable)
	}
	return a, onTerminal(ctx, in, c.err, func(t *term.Terminal) error { return a.ask(t, missing) })
}

// missing are the variables of the halves of the key that are nowhere.
func (a *account) missing() []string {
	if a.says("CREDENTIALS_DIRECTORY") {
		return nil // whether both are in it, and good, config says best
	}
	var names []string
	for _, name := range []string{keyVariable, secretVariable} {
		if !a.says(name) {
			names = append(names, name)
		}
	}
	return names
}

func (a *account) says(name string) bool {
	value, _ := a.env(name)
	return value != ""
}

// setEndpoint takes the endpoint as a file that names none takes it.
func (a *account) setEndpoint() error {
	only := func(name string) (string, bool) {
		if name != endpointVariable {
			return "", false // $CURFEW_LISTEN is no matter of this command
		}
		return a.env(name)
	}
	file, problems := config.Parse("curfew init", []byte("policies: []\n"), config.Env{Lookup: only})
	if config.Failed(problems) {
		return a.refused(problems)
	}
	a.file = file
	return nil
}

// refused is what is wrong with an endpoint or a key, in the words of package
// config, but for the variable where a person typed it.
func (a *account) refused(problems []policy.Problem) error {
	var texts []string
	for _, p := range problems {
		if p.Warning {
			continue
		}
		variable := strings.TrimPrefix(p.Pos.File, "$")
		text := p.Text + " (" + p.Hint + ")"
		if _, typed := a.typed[variable]; typed {
			text = strings.Replace(text, " of $"+variable, "", 1)
		} else if variable != p.Pos.File {
			text = p.Pos.File + ": " + text
		}
		texts = append(texts, text)
	}
	return errors.New(strings.Join(texts, "; "))
}

// ask asks for the endpoint, unless the environment has one, and for what is
// missing of the key.
func (a *account) ask(t *term.Terminal, missing []string) error {
	fmt.Fprintln(t, "An API key of the platform is needed, to see its deployments. It is shown and written nowhere.")
	if !a.says(endpointVariable) {
		t.SetPrompt("Endpoint [" + config.DefaultEndpoint + "]: ")
		answer, err := t.ReadLine()
		if err != nil {
			return err
		}
		a.typed[endpointVariable] = strings.TrimSpace(answer)
		if err := a.setEndpoint(); err != nil {
			return err
		}
	}
	words := map[string]string{keyVariable: "API key", secretVariable: "API secret"}
	for _, name := range missing {
		answer, err := t.ReadPassword(words[name] + ": ")
		if err != nil {
			return err
		}
		if answer = strings.TrimSpace(answer); answer == "" {
			return fmt.Errorf("no %s was given: the console makes a key with its secret, and shows the secret once", words[name])
		}
		a.typed[name] = answer
	}
	return nil
}

// errInterrupted ends a dialogue that a person did not want to go on with.
var errInterrupted = errors.New("interrupted: nothing is written")

// onTerminal has a dialogue on a terminal, which does not show by itself what is
// typed from before the first question on. However it ends, the terminal is then as
// it was. Nothing can call a read of a terminal off: where ctx ends first it is left
// behind, in a process that is about to end.
func onTerminal(ctx context.Context, in *os.File, talk io.Writer, dialogue func(*term.Terminal) error) error {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("ask on the terminal: %w", err)
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, talk}, "")
	if width, height, err := term.GetSize(int(in.Fd())); err == nil && width > 0 {
		_ = t.SetSize(width, height) // fails where writing does, as will the first question
	}
	ended := make(chan error, 1)
	go func() { ended <- dialogue(t) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = io.EOF
	}
	if errors.Is(err, io.EOF) { // what Ctrl-C and Ctrl-D are here
		fmt.Fprint(talk, "\r\n")
		err = errInterrupted
	}
	return errors.Join(err, term.Restore(int(in.Fd()), before))
}
