import { t } from '../messages';
import { layPage } from '../page';

layPage('compare', t.compare.title);
