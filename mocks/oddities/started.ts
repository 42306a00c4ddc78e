/** What the start of an upload answers. */
export interface Started {
  readonly file_urls: readonly { readonly path: string; readonly url: string; readonly method: 'presigned' }[];
  readonly complete_url: string;
  readonly abort_url: string;
  readonly session_token: string;
}

/** What the address begins with at which a file's presigned URL is asked for; a slug follows. */
export const PRESIGN = '/upload/presigned-file/';
