// Which operations a gateway executes, and what it says of its schema.
import { z } from 'zod';
import { expect, group, oneOf, setting, text } from './config-fields.ts';

export const operations = group({
  introspection: setting(
    {
      env: 'SIGNALBOX_OPERATIONS_INTROSPECTION',
      description: 'on or off: introspection, and suggestions of names in errors. Unset: on in development, off in production.',
    },
    oneOf(['on', 'off']).optional(),
  ),
  accept: setting(
    {
      env: 'SIGNALBOX_OPERATIONS_ACCEPT',
      description: 'any, or registered: only operations of the manifests are executed, over every transport, and GraphiQL is not served.',
    },
    oneOf(['any', 'registered']).default('any'),
  ),
  manifests: setting(
    {
      env: 'SIGNALBOX_OPERATIONS_MANIFESTS',
      description: 'Files in the format apollo-persisted-query-manifest: operations that clients may ask for by hash; separated by commas.',
    },
    z.array(text('a path'), expect('a list of paths')).default([]),
  ),
});
