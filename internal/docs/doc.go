// Package docs holds the pages of this repository to the program that they
// describe. It has tests and nothing else.
//
// A page that was true when it was written is the usual way in which a document
// lies, so whatever can be asked of the code is asked:
//
//   - What stands between <!-- begin NAME --> and <!-- end NAME -->, and the
//     pictures in docs/img, is made by these tests from package policy and
//     internal/config, and compared with what is checked in.
//   - The tables of keys in docs/configuration.md list what the parser knows, and
//     it takes every example, default and range as the page gives it.
//   - docs/answers.md names every state, outcome, reason and alarm that package
//     scheduler declares, and no other.
//   - docs/architecture.md draws the arrows that internal/house allows.
//   - Where a page shows a transcript, between <!-- run --> and <!-- /run -->, its
//     commands are run and answered by the program itself; between <!-- file X -->
//     and <!-- /file --> stands that file. "run today" is for what differs by the
//     day: dates and numbers are not compared.
//   - Every file of docs/cookbook passes the strictest check, and the lines of its
//     pipelines are run against a repository with a change in it.
//   - Every relative link leads somewhere, every complete configuration is taken
//     without an error, and every flag in a command exists.
//
// What a sentence says is nobody's business here but the reader's.
//
// After a change of the law, of the parser's words or of a picture:
//
//	go test ./internal/docs -update
//
// writes the blocks and the pictures anew; read the difference before it is
// committed, since it is what the users of curfew will notice.
package docs
