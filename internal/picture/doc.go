// Package picture draws what went on, or what will, as lanes along a time axis:
// one row for each deployment, with bars, marks and days off, as SVG.
//
// It knows times, bars and words, and nothing of ours: what a bar stands for is
// said by whoever fills in a Picture. It decides where things are, which ticks an
// axis of that length can carry, and how a text from outside is made harmless.
//
//	p := picture.Picture{
//		Title: "The week before Christmas", From: monday, To: monday.AddDate(0, 0, 7), Location: berlin,
//		Rows: []picture.Row{{Name: "dev-eu", Bars: []picture.Bar{
//			{From: monday.Add(8 * time.Hour), To: monday.Add(20 * time.Hour), Kind: picture.Running, Title: "office hours"},
//		}}},
//	}
//	err := p.Write(w)
//
// The axis is real time with the local clock written under it. So a day of 23
// hours is narrower than its neighbours by that hour, and where the clocks are
// changed there is a stripe that says from what to what. A span decides its own
// ticks: hours of days, days of a month, weeks, months of years.
//
// A picture is readable in three ways. Kinds differ in height and texture, not in
// colour alone. Colours are presentation attributes and make a light picture of
// their own; the one style sheet in it adds the dark one, where a reader prefers
// that, and every rule of it is confined to the picture, so that it can stand in a
// page. And it has a title, a description in words, and a tooltip on whatever is
// wide enough to be pointed at. There is no script and no font.
//
// Rows may be many. They are written one by one; a row that looks like the one
// above it is a reference to that, which makes a fleet under few policies small;
// what has no tooltip shares one path. The same Picture gives the same bytes.
package picture
