// Settings of decision records: what is left out of them, how long they are kept, where they go then.
import { z } from 'zod';
import { expect, group, integer, setting, text } from './config-fields.ts';
import { isRedactionPath, redactionPathForm } from './decisions/redaction.ts';

export const decisions = group({
  redact: setting(
    {
      env: 'SIGNALBOX_DECISIONS_REDACT',
      description:
        'Members that are left out of decision records, such as arguments.**.password or arguments.headers.authorization; separated by commas.',
    },
    z
      .array(
        z.string(expect(redactionPathForm)).refine(isRedactionPath, expect(redactionPathForm)),
        expect(`a list of ${redactionPathForm}`),
      )
      .default([]),
  ),
  retentionDays: setting(
    {
      env: 'SIGNALBOX_DECISIONS_RETENTION_DAYS',
      description:
        'Days that decision records are kept; a week of them is exported and dropped once all of it is older. Simulations that are over go as many days after their end. Unset: for ever.',
    },
    integer(1, 36_500, 'days').optional(),
  ),
  exportDir: setting(
    {
      env: 'SIGNALBOX_DECISIONS_EXPORT_DIR',
      description:
        'Folder that decision records are written to before they are dropped, a file of NDJSON a week. Unset: exports in the data folder.',
    },
    text('a path').optional(),
  ),
});
