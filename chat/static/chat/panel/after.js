/** What stands after the last row: the questions before a conversation, an e-mail address while nobody is there, the stars at the end. */

import { emailCard, questionCard, questionsFor } from "./questions.js";
import { ratedCard, ratingCard } from "./rating.js";
import { explain, words } from "./words.js";

export class After {
  #shown = "";
  #mistakes = [];
  #given = {};

  /** `onAnswered()`: the visitor may write now; `onGrow()`: something below the last row appeared or grew. */
  constructor({ element, config, session, person, onAnswered, onGrow }) {
    Object.assign(this, { element, config, session, person, onAnswered, onGrow });
    this.isAsking = false;
  }

  draw(isOffline) {
    const { talk } = this.session;
    const fields = talk ? [] : questionsFor(this);
    this.isAsking = Boolean(fields.length);
    if (this.isAsking) return this.#show(`ask ${fields.map(({ key }) => key)}`, () => this.#questions(fields));
    if (talk && !talk.isOpen) return this.#show(`rate ${talk.id} ${talk.rating}`, () => this.#rating(talk));
    if (isOffline && this.#isUnreachable(talk)) return this.#show("email", () => emailCard({ onGiven: (email) => this.#reachable(email) }));
    this.#show("", () => null);
  }

  /** Draw anew at the next turn, whatever stands there. */
  refresh() {
    this.#shown = null;
  }

  /** The server refused what was answered beforehand: show its word beside each answer. */
  askAgain(mistakes) {
    this.#mistakes = mistakes;
    this.#given = { visitor_email: this.person.saved.visitor_email, ...this.person.saved.pre_chat };
    this.person.save({ has_answered: false, visitor_email: undefined });
    this.refresh();
  }

  #show(name, make) {
    if (name === this.#shown) return;
    this.#shown = name;
    this.element.replaceChildren(...[make()].filter(Boolean));
    if (name && !this.isAsking) this.onGrow();
  }

  /** Whether an answer given later would reach nobody: they have asked, nobody is there, and we know no address. */
  #isUnreachable(talk) {
    return talk && !talk.agent && !this.person.email && this.session.entries.some(({ event }) => event.type === "message");
  }

  async #reachable(email) {
    await this.person.change({ email });
    this.person.save({ visitor_email: email });
    this.draw(false);
    this.onAnswered();
  }

  #questions(fields) {
    return questionCard({ fields, answers: this.#given, mistakes: this.#mistakes, onAnswered: (answers) => this.#answered(answers) });
  }

  #answered(answers) {
    this.#mistakes = [];
    this.person.save({ ...answers, has_answered: true });
    this.draw(false);
    this.onAnswered();
  }

  #rating(talk) {
    if (talk.rating) return ratedCard({ words, rating: talk.rating });
    return ratingCard({ words, explain, onRate: (value, feedback) => talk.rate(value, feedback), onGrow: this.onGrow });
  }
}
