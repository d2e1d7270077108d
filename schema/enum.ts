// GraphQL enums made from the product's `as const` arrays: the same members everywhere, UPPER_CASE on the outside.
import { builder } from './builder.ts';

/** `enumOf('Role', roles, 'What …', { admin: 'May do everything.', … })`; resolvers see the array's member (`admin`), clients `ADMIN`. */
export function enumOf<const Member extends string>(
  name: string,
  members: readonly Member[],
  description: string,
  meanings: Readonly<Record<Member, string>>,
) {
  const values = Object.fromEntries(
    members.map((member) => [member.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_'), { value: member, description: meanings[member] }]),
  ) as Record<string, { value: Member; description: string }>;
  return builder.enumType(name, { description, values });
}
