// Loaded before a program: its clock is a year behind.
const YEAR = 365 * 24 * 60 * 60 * 1000;
const { now } = Date;
Date.now = () => now() - YEAR;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now());
    else super(...parts);
  }
};
