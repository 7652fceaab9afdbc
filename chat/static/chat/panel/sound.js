/** A short tone for a message nobody is looking at. Only after the visitor has touched the panel, once for all tabs, and never if switched off. */

const SPREAD_MILLISECONDS = 400;
const NOTES = [[880, 0], [1174.7, 0.11]];

export class Sound {
  #context = null;

  constructor({ store, key }) {
    Object.assign(this, { store, key: `${key}.sound`, rung: `${key}.rung` });
    const unlock = () => (this.#context ??= new AudioContext());
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, unlock, { once: true });
  }

  get isOn() {
    return this.store.get(this.key) !== "off";
  }

  toggle() {
    this.store.put(this.key, this.isOn ? "off" : "on");
  }

  /** Ring for a message, unless another tab has or it `isOld()` by then. The tabs ask at moments of their own. */
  ring(id, isOld) {
    if (!this.#context || !this.isOn) return;
    setTimeout(() => {
      if (isOld() || this.store.get(this.rung) === id) return;
      this.store.put(this.rung, id);
      this.#play();
    }, Math.random() * SPREAD_MILLISECONDS);
  }

  #play() {
    for (const [pitch, delay] of NOTES) this.#note(pitch, this.#context.currentTime + delay);
  }

  #note(pitch, at) {
    const oscillator = new OscillatorNode(this.#context, { frequency: pitch });
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.12, at + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.28);
    oscillator.connect(gain).connect(this.#context.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.3);
  }
}
