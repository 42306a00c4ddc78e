import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { FileRef } from '../model/refs.ts';

/** Leave to send one file of an upload. */
export interface Ticket extends FileRef {
  /** As the manifest has it. */
  readonly md5sum: string;
  /** Units: bytes */
  readonly size: number;
  /** Units: milliseconds since 1970 @default when the session ends */
  readonly expires?: number | undefined;
}

/** What a ticket is good for: asking for the address of a file's content, or sending the content there. */
export type Purpose = 'slug' | 'content';

/** A ticket as it was sent, of which nothing is known yet but its form. */
export interface ReceivedTicket {
  readonly ticket: Ticket;
  /** Whether it was issued here, for this purpose, in this session. */
  isGenuine(purpose: Purpose, sessionHash: string): boolean;
}

export interface Signer {
  sign(ticket: Ticket, purpose: Purpose, sessionHash: string): string;
  /** Gives nothing for what is no ticket at all. */
  parse(text: string): ReceivedTicket | undefined;
}

const payloadSchema = z.tuple([z.string(), z.string(), z.string(), z.string(), z.string()]).rest(z.number());

/**
 * Issues tickets. They are bound to their session by the signature, and do not carry its hash: in another session, or
 * when theirs has ended, they are worth nothing.
 *
 * Shape:  base64url(JSON [project, asset, version, path, md5sum, size, expires?]) "." base64url(HMAC-SHA-256)
 */
export function createSigner(secret: Uint8Array): Signer {
  const mac = (payload: string, purpose: Purpose, sessionHash: string) =>
    createHmac('sha256', secret).update(`${purpose} ${sessionHash} ${payload}`).digest();

  return {
    sign({ project, asset, version, path, md5sum, size, expires }, purpose, sessionHash) {
      const fields = [project, asset, version, path, md5sum, size, ...(expires === undefined ? [] : [expires])];
      const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
      return `${payload}.${mac(payload, purpose, sessionHash).toString('base64url')}`;
    },

    parse(text) {
      const [payload = '', signature = ''] = text.split('.');
      const ticket = readTicket(text);
      if (ticket === undefined) return undefined;
      return {
        ticket,
        isGenuine(purpose, sessionHash) {
          const expected = mac(payload, purpose, sessionHash);
          const given = Buffer.from(signature, 'base64url');
          return given.length === expected.length && timingSafeEqual(given, expected);
        },
      };
    },
  };
}

/** Gives what a ticket says, whoever wrote it; nothing for what is no ticket at all. */
export function readTicket(text: string): Ticket | undefined {
  const [payload = ''] = text.split('.');
  try {
    const fields = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const [project, asset, version, path, md5sum, size = 0, expires] = payloadSchema.parse(fields);
    return { project, asset, version, path, md5sum, size, expires };
  } catch {
    return undefined;
  }
}
