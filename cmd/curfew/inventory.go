package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"curfew/apiclient"
	"curfew/internal/config"
	"curfew/policy"
)

// maxInventory is the largest inventory that is read, in bytes: a hundred
// thousand deployments with all their fields take a fifth of it.
const maxInventory = 256 << 20

// An inventory is the list of all deployments that a key can see, as somebody
// saved it: whom a file selects, and what its deployments are called. A nil one
// knows nothing.
type inventory struct {
	source string // the file, for people
	all    []policy.Named
	names  map[policy.DeploymentID]string
}

// theKey is the source of an inventory that the platform gave.
const theKey = "the account"

func newInventory(source string) *inventory {
	return &inventory{source: source, names: map[policy.DeploymentID]string{}}
}

// accountInventory is the platform's own list.
func accountInventory(all []apiclient.Deployment) *inventory {
	v := newInventory(theKey)
	for i := range all {
		id := policy.DeploymentID(all[i].ID)
		v.names[id] = all[i].Name
		v.all = append(v.all, policy.Named{ID: id, Name: all[i].Name})
	}
	return v
}

// inventoryFlag is the flag that names an inventory in every command that goes by
// the file alone.
func inventoryFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().Var(given{path, "the path of a list of deployments"}, "inventory",
		"`FILE` with the deployments of the account, as GET /deployments answers or \"curfew list -o json\" prints; - is stdin")
}

// A given is a flag whose value may be left out, but not be empty: that is a
// mistake, mostly of a script whose variable has no value, and would quietly be
// another question than the one that was meant.
type given struct {
	text *string
	what string // is wanted, for people
}

// Set implements pflag.Value.
func (g given) Set(s string) error {
	if s == "" {
		return errors.New("it is empty, as a variable is that nobody has set: want " + g.what + ", or no such flag")
	}
	*g.text = s
	return nil
}

// String implements pflag.Value. Pflag asks the zero value, too.
func (g given) String() string {
	if g.text == nil {
		return ""
	}
	return *g.text
}

// Type implements pflag.Value; it is what --help calls the value.
func (g given) Type() string { return "string" }

// readInventory reads the file at path, stdin for "-". Without a path there is no
// inventory, and no error.
func readInventory(c *console, path string) (*inventory, error) {
	if path == "" {
		return nil, nil
	}
	text, err := inventoryText(c, path)
	if err != nil {
		return nil, fmt.Errorf("read inventory: %w", err)
	}
	v := newInventory(path)
	if path == "-" {
		v.source = "stdin"
	}
	if err := v.parse(text); err != nil {
		return nil, fmt.Errorf("read inventory %s: %w", v.source, err)
	}
	return v, nil
}

func inventoryText(c *console, path string) ([]byte, error) {
	in := c.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInventory+1))
	if err == nil && len(text) > maxInventory {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxInventory>>20)
	}
	return text, err
}

// inventoryEntry is what is read of a deployment; the platform's answers say
// more.
type inventoryEntry struct {
	ID   *string `json:"deploymentID"`
	Name *string `json:"deploymentName"`
}

// parse reads a JSON array of deployments, one entry after the other, so that a
// mistake can be told by its entry.
func (v *inventory) parse(text []byte) error {
	const want = "want a JSON array of deployments, as GET /deployments answers"
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	dec := json.NewDecoder(bytes.NewReader(text))
	first, err := dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty: " + want)
	case err != nil:
		return atLine(text, err)
	case first != json.Delim('['):
		return errors.New(want)
	}
	for n := 1; dec.More(); n++ {
		var e inventoryEntry
		if err := dec.Decode(&e); err != nil {
			return fmt.Errorf("entry %d: %w", n, atLine(text, err))
		}
		if err := v.add(e); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return atLine(text, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the array: " + want)
	}
	return nil
}

// add takes one deployment. A list that has one twice was put together by hand,
// and nobody knows which of the two names is right.
func (v *inventory) add(e inventoryEntry) error {
	switch {
	case e.ID == nil || strings.TrimSpace(*e.ID) == "":
		return errors.New("deploymentID is missing")
	case !goodID(*e.ID):
		return fmt.Errorf("deployment id %q is none that a file can name: want 1 to 128 letters, digits and signs of ASCII, no slash", *e.ID)
	case e.Name == nil:
		return fmt.Errorf("deployment %q has no deploymentName", *e.ID)
	}
	id := policy.DeploymentID(*e.ID)
	if _, twice := v.names[id]; twice {
		return fmt.Errorf("deployment %q is there twice", id)
	}
	v.names[id] = *e.Name
	v.all = append(v.all, policy.Named{ID: id, Name: *e.Name})
	return nil
}

// atLine puts an error of package json in words, with its line where it has one.
func atLine(text []byte, err error) error {
	var wrong *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s is of the JSON type %s, want string", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("is of the JSON type %s, want an object with deploymentID and deploymentName", kind.Value)
	case errors.As(err, &wrong):
		before := text[:min(max(wrong.Offset-1, 0), int64(len(text)))]
		return fmt.Errorf("line %d: %w", 1+bytes.Count(before, []byte("\n")), err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends in the middle of the JSON text")
	}
	return err
}

// choose puts the deployments that file selects under its policies. before is
// the set that was in force, nil where there was none. Without an inventory nobody
// is selected.
func (v *inventory) choose(file *config.Config, before *policy.Set) []policy.Problem {
	if v == nil || file.Policies == nil {
		return nil
	}
	set, problems := file.Policies.Resolve(v.all, before)
	file.Policies = set
	return problems
}

// resolve is choose for a command that only looks: the problems are warnings.
func (v *inventory) resolve(file *config.Config, before *policy.Set) []policy.Problem {
	problems := v.choose(file, before)
	for i := range problems {
		problems[i].Warning = true
	}
	return problems
}

// holdAgainst compares a file with who is there.
func (v *inventory) holdAgainst(file *config.Config) (problems []policy.Problem) {
	for _, p := range file.Policies.Policies {
		for _, m := range p.Members() {
			name, there := v.names[m.ID]
			if !there {
				problems = append(problems, unseen(v.source, m))
			} else if m.Named(name) == policy.Barred {
				problems = append(problems, misnamed(m, name))
			}
		}
	}
	return problems
}

// unprotecting are the entries of protect that protect nobody who is there: one
// with a mistake in it looks like one that works.
func (v *inventory) unprotecting(file *config.Config) (notes []policy.Problem) {
	for _, e := range file.Protect {
		only := policy.NewProtection([]policy.Pattern{e}, file.Policies.Policies)
		barred := func(n policy.Named) bool {
			standing, _ := only.Of(n.ID, n.Name)
			return standing == policy.Barred
		}
		if !slices.ContainsFunc(v.all, barred) {
			notes = append(notes, policy.Problem{Pos: e.Pos, Text: fmt.Sprintf("%s has no deployment that %q protects", v.source, e.Text)})
		}
	}
	return notes
}

func unseen(source string, m policy.Member) policy.Problem {
	p := policy.Problem{
		Pos: m.Pos, Text: fmt.Sprintf("%s has no deployment %q", source, m.ID),
		Hint: "correct the id, which is not the name, or bring a newer list",
	}
	if source == theKey {
		p.Text, p.Hint = fmt.Sprintf("the key sees no deployment %q", m.ID), "correct the id, which is not the name, or give the key its project"
	}
	return p
}

func misnamed(m policy.Member, name string) policy.Problem {
	return policy.Problem{
		Pos: m.Pos, Text: fmt.Sprintf("deployment %q is called %s, not %s: it would not be touched", m.ID, strconv.Quote(name), strconv.Quote(m.Name)),
		Hint: "correct the id or the name",
	}
}

// name is what a deployment is called: by the inventory, else by the file.
func (v *inventory) name(m policy.Member) string {
	if v != nil {
		if name, ok := v.names[m.ID]; ok {
			return name
		}
	}
	return m.Name
}

// bearing says which deployments bear a name that was taken for an id; empty where
// none does.
func (v *inventory) bearing(name string) string {
	var ids []string
	for _, n := range v.all {
		if n.Name == name {
			ids = append(ids, string(n.ID))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return "; that is the name of " + strings.Join(ids, ", ")
}

// takeInventory reads an inventory for a command that only looks, resolves whom
// the file selects, and tells of what is odd about that.
func takeInventory(c *console, file *config.Config, path string) (*inventory, error) {
	v, err := readInventory(c, path)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c.err, config.Render(v.resolve(file, nil), file.Text)); err != nil {
		return nil, err
	}
	if v == nil && file.Policies.Selects() {
		return v, tellUnseen(c, file, "shown")
	}
	if _, err := io.WriteString(c.err, v.missing(file)); err != nil {
		return nil, err
	}
	return v, tellIdle(c, file)
}

// tellUnseen says that nobody knows here whom a file selects, so that they are
// not shown, or checked.
func tellUnseen(c *console, file *config.Config, what string) error {
	_, err := fmt.Fprintf(c.err, "%s selects deployments by name, and those are not %s without an inventory: "+
		"curfew list -o json >deployments.json, then --inventory deployments.json\n", file.Source, what)
	return err
}

// missing says which deployments of a file an inventory does not have: they may
// be gone, or the list may be of another account.
func (v *inventory) missing(file *config.Config) string {
	const most = 5
	if v == nil {
		return ""
	}
	var ids []string
	n := 0
	for _, p := range file.Policies.Policies {
		for _, m := range p.Members() {
			if _, ok := v.names[m.ID]; ok {
				continue
			}
			if n++; n <= most {
				ids = append(ids, string(m.ID))
			}
		}
	}
	if n == 0 {
		return ""
	}
	more := ""
	if n > most {
		more = fmt.Sprintf(" and %d more", n-most)
	}
	return fmt.Sprintf("%s does not have %s of %s: %s%s\n",
		v.source, plural(n, "deployment", "deployments"), file.Source, strings.Join(ids, ", "), more)
}
